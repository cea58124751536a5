#include <gpiod.h>
// Version 1 of the library defines this macro in its header; version 2 does not.
#ifdef GPIOD_BIT
#error "libgpiod 2 is required; this is version 1"
#endif
