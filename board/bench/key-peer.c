/*
 * DPK, SESPK and MAC1 of the demonstration card (spec/grey-lock.md, section 7) by libcrypto alone: what the arithmetic
 * costs without us. Keys lie on the stack and nothing is wiped.
 *
 *   cc -O2 -Wall -Wextra -o key-peer board/bench/key-peer.c -lcrypto
 *   ./key-peer COUNT
 *
 * Prints for each of COUNT sales the nanoseconds and MAC1, one sale a line. ICC and TTC are the sale's number, from 0; MPK
 * is expanded before.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/des.h>

enum { WARM_UP = 100, COUNT_MAX = 10000000 };

static DES_cblock master[2] = {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88},
                                     {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}};
/* The right half of the card's serial number. */
static const uint8_t factor[8] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x42};
/* Balance, refuel, terminal; then the padding. */
static const uint8_t message[16] = {0x00, 0x00, 0xC3, 0x50, 0x10, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x80};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void mac1(DES_key_schedule mpk[2], uint32_t number, DES_cblock *mac) {
    DES_cblock half, dpk[2], sespk, zero = {0};
    DES_key_schedule schedule[2], session;
    for (int index = 0; index < 8; index++) half[index] = factor[index];
    DES_ecb2_encrypt(&half, &dpk[0], &mpk[0], &mpk[1], DES_ENCRYPT);
    for (int index = 0; index < 8; index++) half[index] = (uint8_t)~factor[index];
    DES_ecb2_encrypt(&half, &dpk[1], &mpk[0], &mpk[1], DES_ENCRYPT);
    for (int index = 0; index < 2; index++) DES_set_key_unchecked(&dpk[index], &schedule[index]);
    DES_cblock numbers = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number,
                          0x00, 0x01, (uint8_t)(number >> 8), (uint8_t)number};
    DES_ecb2_encrypt(&numbers, &sespk, &schedule[0], &schedule[1], DES_ENCRYPT);
    DES_set_key_unchecked(&sespk, &session);
    DES_cbc_cksum(message, mac, sizeof message, &session, &zero);
}

int main(int argc, char **argv) {
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: %s COUNT\n", argv[0]);
        return 2;
    }
    uint64_t *times = calloc((size_t)count, sizeof *times);
    DES_cblock *macs = calloc((size_t)count, sizeof *macs);
    if (!times || !macs) return 1;

    DES_key_schedule mpk[2];
    DES_cblock mac;
    for (int index = 0; index < 2; index++) DES_set_key_unchecked(&master[index], &mpk[index]);
    for (uint32_t round = 0; round < WARM_UP; round++) mac1(mpk, round, &mac);
    for (long round = 0; round < count; round++) {
        uint64_t start = now();
        mac1(mpk, (uint32_t)round, &macs[round]);
        times[round] = now() - start;
    }
    for (long round = 0; round < count; round++)
        printf("%llu %02X%02X%02X%02X\n", (unsigned long long)times[round], macs[round][0], macs[round][1],
               macs[round][2], macs[round][3]);
    free(macs);
    free(times);
    return 0;
}
