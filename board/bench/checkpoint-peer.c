/*
 * A checkpoint's row by SQLite alone: what the commit costs without us.
 *
 *   cc -O2 -Wall -Wextra -o checkpoint-peer board/bench/checkpoint-peer.c -lsqlite3
 *   ./checkpoint-peer JOURNAL COUNT
 *
 * It takes the one checkpoint of a closed JOURNAL and writes it again COUNT times, all its columns, each time in a
 * transaction of its own and with the pragmas and the index on the heap that the service has. Prints the nanoseconds of
 * each, one a line. The journal is none afterwards: the state that the service writes beside a row stays as it was.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

/* Until the -wal file is written over from its start: while it grows, each commit waits for its size too. */
enum { WARM_UP = 300, COUNT_MAX = 1000000, COLUMNS_MAX = 64, SQL_MAX = 8192 };

static sqlite3 *journal;

static void require(int expected, int result) {
    if (result == expected) return;
    fprintf(stderr, "%s\n", sqlite3_errmsg(journal));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static sqlite3_stmt *prepared(const char *sql) {
    sqlite3_stmt *statement;
    require(SQLITE_OK, sqlite3_prepare_v3(journal, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

static void step(sqlite3_stmt *statement) {
    require(SQLITE_DONE, sqlite3_step(statement));
    require(SQLITE_OK, sqlite3_reset(statement));
}

/* The service's own statement, made of the columns that the table has. */
static sqlite3_stmt *replacement(sqlite3_stmt *row) {
    static char columns[SQL_MAX / 4], marks[SQL_MAX / 4], changes[SQL_MAX / 2], sql[SQL_MAX * 2];
    for (int index = 0; index < sqlite3_column_count(row); index++) {
        const char *name = sqlite3_column_name(row, index), *comma = index ? ", " : "";
        snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%s", comma, name);
        snprintf(marks + strlen(marks), sizeof marks - strlen(marks), "%s?", comma);
        snprintf(changes + strlen(changes), sizeof changes - strlen(changes), "%s%s = excluded.%s", comma, name, name);
    }
    snprintf(sql, sizeof sql, "INSERT INTO checkpoint (%s) VALUES (%s) ON CONFLICT (ttc) DO UPDATE SET %s", columns, marks,
             changes);
    return prepared(sql);
}

int main(int argc, char **argv) {
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: %s JOURNAL COUNT\n", argv[0]);
        return 2;
    }
    uint64_t *times = calloc((size_t)count, sizeof *times);
    if (!times) return 1;

    require(SQLITE_OK, sqlite3_open_v2(argv[1], &journal, SQLITE_OPEN_READWRITE, "unix-excl"));
    require(SQLITE_OK, sqlite3_busy_timeout(journal, 1000));
    require(SQLITE_OK, sqlite3_exec(journal,
                                    "PRAGMA cache_size = -256; PRAGMA mmap_size = 0; PRAGMA journal_mode = WAL;"
                                    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 256;"
                                    "PRAGMA journal_size_limit = 1048576",
                                    NULL, NULL, NULL));

    sqlite3_stmt *row = prepared("SELECT * FROM checkpoint");
    sqlite3_value *values[COLUMNS_MAX];
    int width = sqlite3_column_count(row);
    if (width > COLUMNS_MAX) return 1;
    require(SQLITE_ROW, sqlite3_step(row));
    for (int index = 0; index < width; index++) values[index] = sqlite3_value_dup(sqlite3_column_value(row, index));
    require(SQLITE_OK, sqlite3_reset(row));

    sqlite3_stmt *begin = prepared("BEGIN IMMEDIATE"), *write = replacement(row), *commit = prepared("COMMIT");
    for (long round = -WARM_UP; round < count; round++) {
        uint64_t start = now();
        step(begin);
        for (int index = 0; index < width; index++)
            require(SQLITE_OK, sqlite3_bind_value(write, index + 1, values[index]));
        step(write);
        step(commit);
        if (round >= 0) times[round] = now() - start;
    }
    for (long round = 0; round < count; round++) printf("%llu\n", (unsigned long long)times[round]);

    for (int index = 0; index < width; index++) sqlite3_value_free(values[index]);
    sqlite3_finalize(row);
    sqlite3_finalize(begin);
    sqlite3_finalize(write);
    sqlite3_finalize(commit);
    require(SQLITE_OK, sqlite3_close(journal));
    free(times);
    return 0;
}
