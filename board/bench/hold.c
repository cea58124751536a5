// hold PROCESS THREAD
//
// Holds one thread of a process, by its name, as ptrace does: the other threads go on. Says "held" when it stands, and ends
// when the thread has ended. Killed, it lets the thread go. Needs CAP_SYS_PTRACE for a process that is not dumpable.
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int has_name(const char *process, const char *thread, const char *name) {
  char path[320], found[32] = "";
  snprintf(path, sizeof path, "/proc/%s/task/%s/comm", process, thread);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  if (!fgets(found, sizeof found, file)) found[0] = 0;
  fclose(file);
  found[strcspn(found, "\n")] = 0;
  return !strcmp(found, name);
}

static pid_t find(const char *process, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/task", process);
  DIR *folder = opendir(path);
  if (!folder) err(1, "%s", path);
  pid_t thread = 0;
  for (struct dirent *entry; !thread && (entry = readdir(folder));) {
    if (entry->d_name[0] != '.' && has_name(process, entry->d_name, name)) thread = atoi(entry->d_name);
  }
  closedir(folder);
  if (!thread) errx(1, "process %s has no thread \"%s\"", process, name);
  return thread;
}

int main(int count, char **arguments) {
  if (count != 3) errx(2, "usage: hold PROCESS THREAD");
  pid_t thread = find(arguments[1], arguments[2]);
  int status;
  if (ptrace(PTRACE_SEIZE, thread, NULL, NULL)) err(1, "PTRACE_SEIZE");
  if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL)) err(1, "PTRACE_INTERRUPT");
  if (waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) errx(1, "the thread does not stop");
  puts("held");
  fflush(stdout);
  while (waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status)) {}
  return 0;
}
