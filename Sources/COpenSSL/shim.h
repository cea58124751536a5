// The DES primitives are marked deprecated in favour of EVP, which keeps key schedules in ordinary heap memory.
// The project keeps them in locked memory of its own (CardCryptography, decision record 1).
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/des.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
