// pulse-source PULL_A PULL_B CYCLES EDGES_PER_SECOND
// pulse-source --trace FILE PULL_A PULL_B [PULL_A PULL_B]...
//
// Turns a simulated pulser: writes to the `pull` files of two gpio-sim lines. Lines are driven one after the other.
//
// In the first form CYCLES cycles of forward quadrature, four edges each, on lines that start low. The edges have a fixed pace. When the
// board did not run this program for a while, the shaft stood still with it, and gets up speed again in three slow steps as one
// with a mass would: slow beside what the board lately made of the pace. With 0 edges per second it goes as fast as it can.
// Prints the edges and the pace that came of it.
//
// In the second the edges of a trace (greylock pulses generate), each at its own time by the clock, whoever reads them: it goes
// before every reader, behind the kernel's interrupt threads. With more lines on several pulsers, eight at most, each right behind the one before. A little
// time that was lost is made up for by steps up to a tenth shorter; after more than two steps the shaft stood still, and gets up
// speed again as above. A thread of the lowest priority computes meanwhile: an emulated processor that halts takes its host's time
// to wake. Prints the edges, the pace that came of it, the pace of the trace, how often the shaft stood still, and by how many
// nanoseconds the latest other edge was late.
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PRIORITY = 45, EDGES_MAX = 10000000, PULSERS_MAX = 8 };

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void wait_until(long long instant) {
  struct timespec time = {instant / 1000000000LL, instant % 1000000000LL};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0) {}
}

static int open_pull(const char *path) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) err(1, "%s", path);
  return file;
}

static void pull(int file, int up) {
  const char *word = up ? "pull-up" : "pull-down";
  if (pwrite(file, word, strlen(word), 0) < 0) err(1, "%s", word);
}

static long long number(const char *text) {
  char *end;
  long long value = strtoll(text, &end, 10);
  if (*text == 0 || *end != 0 || value < 0 || value > 1000000000) errx(2, "%s: not a number from 0 to 10^9", text);
  return value;
}

struct edge {
  long long instant;
  bool is_b, up;
};

// The whole trace, so that no edge waits for a disk.
static struct edge *read_trace(const char *path, long long *count) {
  FILE *trace = fopen(path, "r");
  if (trace == NULL) err(1, "%s", path);
  struct edge *edges = calloc(EDGES_MAX, sizeof *edges);
  if (edges == NULL) err(1, "edges");
  char text[300], sign, name;
  long long instant;
  *count = 0;
  while (fgets(text, sizeof text, trace) != NULL) {
    if (sscanf(text, "%lld %c%c", &instant, &name, &sign) != 3 || (name != 'a' && name != 'b')) continue;
    if (*count == EDGES_MAX) errx(1, "%s: more than %d edges", path, EDGES_MAX);
    edges[(*count)++] = (struct edge){instant, name == 'b', sign == '+'};
  }
  fclose(trace);
  return edges;
}

// In long straight stretches, which an emulator passes fastest.
static void *compute(void *unused) {
  volatile unsigned long sum = 1;
  while (true) {
    unsigned long part = sum;
#pragma GCC unroll 128
    for (int round = 0; round < 128000; round++) part = part * 6364136223846793005UL + 1;
    sum = part;
  }
  return unused;
}

static void keep_awake(void) {
  pthread_t thread;
  struct sched_param none = {0};
  if (pthread_create(&thread, NULL, compute, NULL) != 0 || pthread_setschedparam(thread, SCHED_IDLE, &none) != 0)
    errx(1, "no thread of the lowest priority");
  struct sched_param priority = {.sched_priority = PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) err(1, "sched_setscheduler");
}

static int play(const char *path, char **pulls, int pulsers) {
  int files[2 * PULSERS_MAX];
  for (int line = 0; line < 2 * pulsers; line++) files[line] = open_pull(pulls[line]);
  long long count, latest = 0, stands = 0, slow = 0;
  struct edge *edges = read_trace(path, &count);
  keep_awake();
  long long first = count > 0 ? edges[0].instant : 0, before = first;
  long long begin = now() + 100000000LL - first, driven = begin, played = begin;
  for (long long index = 0; index < count; index++) {
    struct edge edge = edges[index];
    long long step = edge.instant - before;
    if (slow > 0) {
      begin += 2 * step;
      slow--;
    }
    long long due = begin + edge.instant, soonest = driven + step - step / 10;
    if (index > 0 && due < soonest) due = soonest;
    wait_until(due);
    driven = now();
    if (index == 0) played = driven;
    for (int pulser = 0; pulser < pulsers; pulser++) pull(files[2 * pulser + edge.is_b], edge.up);
    before = edge.instant;
    long long late = driven - begin - edge.instant;
    if (step > 0 && late > 2 * step) {
      begin += late;
      slow = 3;
      stands++;
    } else if (late > latest) {
      latest = late;
    }
  }
  double asked = before > first ? (double)(count - 1) * 1e9 / (double)(before - first) : 0;
  double made = count > 1 ? (double)(count - 1) * 1e9 / (double)(driven - played) : 0;
  printf("%lld edges, %.0f a second, %.0f were asked for, %lld stands, the latest %lld ns late\n", count, made, asked, stands,
         latest);
  return 0;
}

int main(int count, char **arguments) {
  if (count >= 5 && count <= 3 + 2 * PULSERS_MAX && count % 2 == 1 && strcmp(arguments[1], "--trace") == 0)
    return play(arguments[2], arguments + 3, (count - 3) / 2);
  if (count != 5)
    errx(2, "usage: pulse-source PULL_A PULL_B CYCLES EDGES_PER_SECOND | --trace FILE PULL_A PULL_B [PULL_A PULL_B]...");
  int files[2] = {open_pull(arguments[1]), open_pull(arguments[2])};
  long long edges = 4 * number(arguments[3]), pace = number(arguments[4]);
  long long begin = now(), instant = begin, step = pace > 0 ? 1000000000LL / pace : 0, slow = 0;
  long long usual = step, last = begin;
  for (long long edge = 0; edge < edges; edge++) {
    wait_until(instant);
    pull(files[edge % 2], edge % 4 < 2);
    long long done = now();
    if (step > 0) usual += ((done - last) / (1 + slow) - usual) / 8;
    if (usual < step) usual = step;
    last = done;
    if (done > instant + usual / 2) slow = 4;
    if (slow > 0) slow--;
    instant = slow > 0 ? done + usual * (1 + slow) : instant + step;
  }
  double seconds = (double)(now() - begin) / 1e9;
  printf("%lld edges, %.0f a second\n", edges, edges > 0 ? (double)edges / seconds : 0.0);
  return 0;
}
