// flow PULL_A PULL_B MAIN_VALVE SLOW_VALVE EDGES_PER_SECOND
//
// Turns the pulser of two gpio-sim lines that start low while the level in one of the valves' files is 1. At SIGTERM it says
// how many edges there were, and ends. Fuel flows while the board computes and writes: it goes before every other program but
// the threads that take its edges.
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PRIORITY = 30, MILLISECOND = 1000000, SECOND = 1000000000 };

static volatile sig_atomic_t is_over;

static void end(int number) { is_over = number; }

static int open_file(const char *path, int mode) {
  int file = open(path, mode | O_CLOEXEC);
  if (file < 0) err(1, "%s", path);
  return file;
}

static int is_high(int file) {
  char level;
  if (pread(file, &level, 1, 0) != 1) err(1, "level");
  return level == '1';
}

int main(int count, char **arguments) {
  if (count != 6) errx(2, "usage: flow PULL_A PULL_B MAIN_VALVE SLOW_VALVE EDGES_PER_SECOND");
  int channels[2] = {open_file(arguments[1], O_WRONLY), open_file(arguments[2], O_WRONLY)};
  int valves[2] = {open_file(arguments[3], O_RDONLY), open_file(arguments[4], O_RDONLY)};
  long pace = atol(arguments[5]);
  if (pace < 1 || pace > 100000) errx(2, "%s: not a number from 1 to 100000", arguments[5]);
  struct sched_param priority = {.sched_priority = PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &priority)) err(1, "sched_setscheduler");
  struct sigaction action = {.sa_handler = end};
  if (sigaction(SIGTERM, &action, NULL)) err(1, "sigaction");

  long edges = 0;
  while (!is_over) {
    long pause = MILLISECOND;
    if (is_high(valves[0]) || is_high(valves[1])) {
      const char *word = edges % 4 < 2 ? "pull-up" : "pull-down";
      if (pwrite(channels[edges % 2], word, strlen(word), 0) < 0) err(1, "%s", word);
      edges++;
      pause = SECOND / pace;
    }
    nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
  }
  // Back to where it began, in the direction of flow, so that the next one can begin there.
  long told = edges;
  for (; edges % 4; edges++) {
    const char *word = edges % 4 < 2 ? "pull-up" : "pull-down";
    if (pwrite(channels[edges % 2], word, strlen(word), 0) < 0) err(1, "%s", word);
    nanosleep(&(struct timespec){.tv_nsec = SECOND / pace}, NULL);
  }
  printf("%ld\n", told);
  return 0;
}
