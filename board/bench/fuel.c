// fuel PULL_A PULL_B PULL_NOZZLE MAIN_VALVE SLOW_VALVE EDGES_PER_SECOND
//
// One customer at a simulated pump: lifts the nozzle and, while the level in one of the valves' files is 1, turns the
// pulser of two gpio-sim lines that start low; at a tenth of the pace when it is the slow-flow valve's alone. Hangs up
// and ends when both have closed again.
//
// Each edge is first told outside, as one "." to I/O port E9 (`board/vm --port`), and then given: whatever becomes of
// the board, what was told is what flowed, or one edge more. Fuel flows while the board computes and writes: this
// program goes before every other but the threads that take its edges, which with a real pulser would have the
// processor to themselves. When the whole board stood still, so did the fuel: a late edge moves those after it, and the
// flow gets up speed again in three slow steps as one with a mass would.
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TOLD_PORT = 0xE9, PRIORITY = 30, MILLISECOND = 1000000 };

static int open_file(const char *path, int mode) {
  int file = open(path, mode | O_CLOEXEC);
  if (file < 0) err(1, "%s", path);
  return file;
}

static void pull(int file, int up) {
  const char *word = up ? "pull-up" : "pull-down";
  if (pwrite(file, word, strlen(word), 0) < 0) err(1, "%s", word);
}

static int is_open(int valve) {
  char level;
  if (pread(valve, &level, 1, 0) != 1) err(1, "valve");
  return level == '1';
}

// In edges a second; 0 with both valves closed.
static long flow(const int valves[2], long pace) {
  if (is_open(valves[0])) return pace;
  return is_open(valves[1]) ? (pace + 9) / 10 : 0;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Returns the instant, or when that has passed the present one.
static long long wait_until(long long instant) {
  struct timespec time = {instant / 1000000000LL, instant % 1000000000LL};
  long long late = now();
  if (late > instant) return late;
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0) {}
  return instant;
}

int main(int count, char **arguments) {
  if (count != 7) errx(2, "usage: fuel PULL_A PULL_B PULL_NOZZLE MAIN_VALVE SLOW_VALVE EDGES_PER_SECOND");
  int channels[2] = {open_file(arguments[1], O_WRONLY), open_file(arguments[2], O_WRONLY)};
  int nozzle = open_file(arguments[3], O_WRONLY);
  int valves[2] = {open_file(arguments[4], O_RDONLY), open_file(arguments[5], O_RDONLY)};
  int port = open_file("/dev/port", O_WRONLY);
  long pace = atol(arguments[6]);
  if (pace < 1 || pace > 100000) errx(2, "%s: not a number from 1 to 100000", arguments[6]);
  struct sched_param priority = {.sched_priority = PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) err(1, "sched_setscheduler");

  pull(nozzle, 1);
  long long next = now();
  while (flow(valves, pace) == 0) next = wait_until(next + MILLISECOND);
  long present;
  long long slow = 0;
  for (long edge = 0; (present = flow(valves, pace)) > 0; edge++) {
    long long step = 1000000000LL / present;
    if (pwrite(port, ".", 1, TOLD_PORT) != 1) err(1, "/dev/port");
    pull(channels[edge % 2], edge % 4 < 2);
    long long done = now();
    if (done > next + step / 2) slow = 3;
    next = wait_until(slow > 0 ? done + step * (1 + slow) : next + step);
    if (slow > 0) slow--;
  }
  pull(nozzle, 0);
  return 0;
}
