// levels keep|release VALUE PULL [VALUE PULL]...
//
// Says at which instant the levels of gpio-sim lines change: monotonic nanoseconds and a 0 or 1 for each, a line for every
// change. With `keep` the lines are those of a chip that keeps the last level of a line that nobody holds any more: the
// level that is driven is also what pulls. Looks a thousand times a second, before all other programs.
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 8, PRIORITY = 60, PAUSE = 1000000 };

static int open_file(const char *path, int mode) {
  int file = open(path, mode | O_CLOEXEC);
  if (file < 0) err(1, "%s", path);
  return file;
}

int main(int count, char **arguments) {
  int lines = (count - 2) / 2, keep;
  int value[LINES_MAX], pull[LINES_MAX];
  char level[LINES_MAX + 1] = "", seen[LINES_MAX + 1] = "";
  if (count < 4 || count % 2 || lines > LINES_MAX) errx(2, "usage: levels keep|release VALUE PULL...");
  keep = !strcmp(arguments[1], "keep");
  for (int line = 0; line < lines; line++) {
    value[line] = open_file(arguments[2 + 2 * line], O_RDONLY);
    pull[line] = open_file(arguments[3 + 2 * line], O_WRONLY);
  }
  struct sched_param parameters = {.sched_priority = PRIORITY};
  if (sched_setscheduler(0, SCHED_FIFO, &parameters)) err(1, "sched_setscheduler");
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (;;) {
    for (int line = 0; line < lines; line++) {
      if (pread(value[line], &level[line], 1, 0) != 1) err(1, "%s", arguments[2 + 2 * line]);
    }
    if (strcmp(level, seen)) {
      struct timespec now;
      clock_gettime(CLOCK_MONOTONIC, &now);
      for (int line = 0; keep && line < lines; line++) {
        const char *word = level[line] == '1' ? "pull-up" : "pull-down";
        if (level[line] != seen[line] && pwrite(pull[line], word, strlen(word), 0) < 0) err(1, "%s", word);
      }
      printf("%lld %s\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec, level);
      strcpy(seen, level);
    }
    nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
  }
}
