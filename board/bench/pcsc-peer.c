/*
 * The same exchange as our reader makes, by a plain C client of pcscd: what SCardTransmit costs without us.
 *
 *   cc -O2 -Wall -Wextra -o pcsc-peer board/bench/pcsc-peer.c $(pkg-config --cflags --libs libpcsclite)
 *   ./pcsc-peer READER COUNT > nanoseconds
 *
 * It takes the first reader whose name contains READER, selects the demonstration application, sends GET BALANCE COUNT
 * times and prints the nanoseconds of each exchange, one a line, and median and p99 on standard error. The card must
 * speak T=1, as one that is served in vpcd's reader does unless it is told otherwise.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <winscard.h>

enum { WARM_UP = 100, COUNT_MAX = 10000000 };

static void check(const char *operation, LONG result) {
    if (result == SCARD_S_SUCCESS) return;
    fprintf(stderr, "%s: %s\n", operation, pcsc_stringify_error(result));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void exchange(SCARDHANDLE card, const unsigned char *command, DWORD length) {
    unsigned char answer[258];
    DWORD answered = sizeof answer;
    check("SCardTransmit", SCardTransmit(card, SCARD_PCI_T1, command, length, NULL, answer, &answered));
    if (answered >= 2 && answer[answered - 2] == 0x90 && answer[answered - 1] == 0x00) return;
    fprintf(stderr, "the card refuses the command\n");
    exit(1);
}

static const char *find(char *names, const char *part) {
    for (const char *name = names; *name; name += strlen(name) + 1)
        if (strstr(name, part)) return name;
    fprintf(stderr, "no reader has \"%s\" in its name\n", part);
    exit(1);
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv) {
    static const unsigned char select[] = {0x00, 0xA4, 0x04, 0x00, 0x08, 0xF0, 0x50,
                                           0x45, 0x54, 0x52, 0x4F, 0x4C, 0x01, 0x00};
    static const unsigned char balance[] = {0x80, 0x5C, 0x00, 0x01, 0x04};
    static char names[PCSCLITE_MAX_READERS_CONTEXTS * MAX_READERNAME + 1];
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: %s READER COUNT\n", argv[0]);
        return 2;
    }
    uint64_t *times = calloc((size_t)count, sizeof *times);
    if (!times) return 1;

    SCARDCONTEXT context;
    SCARDHANDLE card;
    DWORD length = sizeof names, protocol;
    check("SCardEstablishContext", SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context));
    check("SCardListReaders", SCardListReaders(context, NULL, names, &length));
    check("SCardConnect", SCardConnect(context, find(names, argv[1]), SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T1, &card,
                                       &protocol));
    exchange(card, select, sizeof select);
    for (int round = 0; round < WARM_UP; round++) exchange(card, balance, sizeof balance);
    for (long round = 0; round < count; round++) {
        uint64_t start = now();
        exchange(card, balance, sizeof balance);
        times[round] = now() - start;
    }
    check("SCardDisconnect", SCardDisconnect(card, SCARD_UNPOWER_CARD));
    check("SCardReleaseContext", SCardReleaseContext(context));

    for (long round = 0; round < count; round++) printf("%llu\n", (unsigned long long)times[round]);
    qsort(times, (size_t)count, sizeof *times, ascending);
    fprintf(stderr, "median %llu ns, p99 %llu ns\n", (unsigned long long)times[count / 2],
            (unsigned long long)times[count * 99 / 100]);
    free(times);
    return 0;
}
