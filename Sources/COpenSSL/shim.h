// The DES primitives are marked deprecated in favour of EVP, which keeps key schedules in ordinary heap memory.
// The project keeps them in locked memory of its own (CardCryptography, decision record 1).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/aes.h>
#include <openssl/crypto.h>
#include <openssl/des.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <string.h>

/// How much of the stack a computation with keys may use, and is overwritten after it (CardCryptography, decision
/// record 10).
enum { greylock_secret_stack_bytes = 4096 };

#if defined(__x86_64__) || defined(__aarch64__)
#define GREYLOCK_CLEARS_REGISTERS __attribute__((zero_call_used_regs("all")))
#else
#define GREYLOCK_CLEARS_REGISTERS
#endif

/// Overwrites the stack below the caller, and the registers that a call need not keep: the next lookup of a function by
/// the dynamic linker would save them all on the stack.
GREYLOCK_CLEARS_REGISTERS
static inline __attribute__((noinline)) void greylock_wipe_stack(void) {
  unsigned char below[greylock_secret_stack_bytes];
  memset(below, 0, sizeof below);
  // The compiler must believe that somebody reads it.
  __asm__ volatile("" : : "r"(below) : "memory");
}
