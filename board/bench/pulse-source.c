// pulse-source PULL_A PULL_B CYCLES EDGES_PER_SECOND
// pulse-source --trace FILE PULL_A PULL_B [PULL_A PULL_B]
//
// Turns a simulated pulser: writes to the `pull` files of two gpio-sim lines. Lines are driven one after the other.
//
// In the first form CYCLES cycles of forward quadrature, four edges each, on lines that start low. The edges have a fixed pace. When the
// board did not run this program for a while, the shaft stood still with it, and gets up speed again in three slow steps as one
// with a mass would: slow beside what the board lately made of the pace. With 0 edges per second it goes as fast as it can.
// Prints the edges and the pace that came of it.
//
// In the second the edges of a trace (greylock pulses generate), each at its own time by the clock, whoever reads them; with four
// lines on two pulsers, the second right behind the first. A little time that was lost is made up for by steps up to a tenth shorter;
// after more than two steps the shaft stood still, and gets up speed again as above. Prints the edges, the pace that came of it, the pace of the
// trace, how often the shaft stood still, and by how many nanoseconds the latest other edge was late.
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static int play(const char *path, char **pulls, int pulsers) {
  int files[4];
  for (int line = 0; line < 2 * pulsers; line++) files[line] = open_pull(pulls[line]);
  FILE *trace = fopen(path, "r");
  if (trace == NULL) err(1, "%s", path);
  char text[300], sign, name;
  long long instant, first = 0, before = 0, edges = 0, latest = 0, stands = 0, slow = 0;
  long long begin = now() + 100000000LL, played = begin, done = begin;
  while (fgets(text, sizeof text, trace) != NULL) {
    if (sscanf(text, "%lld %c%c", &instant, &name, &sign) != 3 || (name != 'a' && name != 'b')) continue;
    if (edges++ == 0) first = before = instant;
    long long step = instant - before;
    if (slow > 0) {
      begin += 2 * step;
      slow--;
    }
    long long due = begin + instant, soonest = done + step - step / 10;
    if (edges > 1 && due < soonest) due = soonest;
    wait_until(due);
    for (int pulser = 0; pulser < pulsers; pulser++) pull(files[2 * pulser + (name == 'b')], sign == '+');
    done = now();
    before = instant;
    long long late = done - begin - instant;
    if (step > 0 && late > 2 * step) {
      begin += late;
      slow = 3;
      stands++;
    } else if (late > latest) {
      latest = late;
    }
  }
  double asked = before > first ? (double)(edges - 1) * 1e9 / (double)(before - first) : 0;
  double made = edges > 1 ? (double)(edges - 1) * 1e9 / (double)(done - played) : 0;
  printf("%lld edges, %.0f a second, %.0f were asked for, %lld stands, the latest %lld ns late\n", edges, made, asked, stands,
         latest);
  return 0;
}

int main(int count, char **arguments) {
  if ((count == 5 || count == 7) && strcmp(arguments[1], "--trace") == 0)
    return play(arguments[2], arguments + 3, (count - 3) / 2);
  if (count != 5)
    errx(2, "usage: pulse-source PULL_A PULL_B CYCLES EDGES_PER_SECOND | --trace FILE PULL_A PULL_B [PULL_A PULL_B]");
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
