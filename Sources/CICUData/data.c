#include <stddef.h>
#include <stdint.h>

// An ICU common data package without items, ICU's own way to leave its data out (its "stubdata" library).
//
// The tools use Foundation, whose static archive carries 34 MB of ICU data for locales that this program
// never asks for. Defined here, the symbol keeps that archive member out of the link. It is of no effect where
// Foundation is a shared library. The price: no Foundation date or number formatter may run; times in
// this project are its own types.
typedef struct {
    uint16_t header_size;
    uint8_t magic1;
    uint8_t magic2;
    uint16_t info_size;
    uint16_t reserved_word;
    uint8_t is_big_endian;
    uint8_t charset_family;
    uint8_t sizeof_uchar;
    uint8_t reserved_byte;
    uint8_t data_format[4];
    uint8_t format_version[4];
    uint8_t data_version[4];
    uint32_t padding[2];
    uint32_t item_count;
    uint32_t end;
} __attribute__((aligned(16))) icu_empty_package;

// That of Swift 6.3.
__attribute__((visibility("hidden"), used)) const icu_empty_package icudt76_dat = {
    .header_size = offsetof(icu_empty_package, item_count),
    .magic1 = 0xDA,
    .magic2 = 0x27,
    .info_size = 20,
    .is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    .sizeof_uchar = 2,
    .data_format = {'C', 'm', 'n', 'D'},
    .format_version = {1},
};

// That of Swift 6.2.
extern const icu_empty_package icudt74_dat __attribute__((alias("icudt76_dat"), visibility("hidden"), used));
