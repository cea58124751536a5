// What Linux has and Swift's Glibc module leaves out: variadic functions, macros and GNU extensions.
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

/// Names the calling thread, at most 15 bytes.
static inline int greylock_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/// No core dump, and no other process of the same user may read this one's memory.
static inline int greylock_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
