#define _GNU_SOURCE
#include "CInspection.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// A run of tests that is killed has said where it was.
__attribute__((constructor)) static void write_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

static int spawn(const char *path, char *const arguments[], char *const environment[],
                 posix_spawn_file_actions_t *actions, short group, pid_t *pid) {
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int failure = posix_spawn(pid, path, actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

static int spawn_at(const char *terminal, const char *path, char *const arguments[], char *const environment[], int errors,
                    pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // A session's leader that opens a terminal has it as its controlling one.
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  int failure = spawn(path, arguments, environment, &actions, POSIX_SPAWN_SETSID, pid);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

int greylock_spawn(const char *path, char *const arguments[], char *const environment[], const int descriptors[3],
                   pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
    posix_spawn_file_actions_adddup2(&actions, descriptors[number], number);
  errno = spawn(path, arguments, environment, &actions, POSIX_SPAWN_SETPGROUP, pid);
  posix_spawn_file_actions_destroy(&actions);
  return errno ? -1 : 0;
}

int greylock_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

static long monotonic_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

pid_t greylock_wait(pid_t pid, int options, long milliseconds, int *status) {
  // The descriptor tells an end at once; a stop is looked for.
  enum { look_milliseconds = 10 };
  long deadline = monotonic_milliseconds() + milliseconds;
  struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
  pid_t waited;
  while ((waited = waitpid(pid, status, options | WNOHANG)) == 0 || (waited < 0 && errno == EINTR)) {
    if (monotonic_milliseconds() >= deadline)
      break;
    poll(&end, 1, look_milliseconds);
  }
  if (end.fd >= 0)
    close(end.fd);
  return waited;
}

static int start(const char *path, char *const arguments[], char *const environment[], int packets,
                 struct greylock_started *started) {
  char name[64];
  int errors[2];
  int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0)
    return -1;
  if (grantpt(terminal) || unlockpt(terminal) || ptsname_r(terminal, name, sizeof name) ||
      ioctl(terminal, TIOCPKT, &packets) || pipe2(errors, O_CLOEXEC)) {
    close(terminal);
    return -1;
  }
  int failure = spawn_at(name, path, arguments, environment, errors[1], &started->pid);
  close(errors[1]);
  if (failure) {
    close(errors[0]);
    close(terminal);
    errno = failure;
    return -1;
  }
  started->terminal = terminal;
  started->errors = errors[0];
  return 0;
}

int greylock_start(const char *path, char *const arguments[], char *const environment[],
                   struct greylock_started *started) {
  return start(path, arguments, environment, 1, started);
}

int greylock_start_plain(const char *path, char *const arguments[], char *const environment[],
                         struct greylock_started *started) {
  return start(path, arguments, environment, 0, started);
}

int greylock_stop_output(int terminal) {
  char name[64];
  if (ptsname_r(terminal, name, sizeof name))
    return -1;
  int end = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (end < 0)
    return -1;
  int failure = tcflow(end, TCOOFF);
  close(end);
  return failure;
}

int greylock_narrow(int end) { return fcntl(end, F_SETPIPE_SZ, 1) < 0 ? -1 : 0; }

int greylock_set_columns(int terminal, unsigned short columns) {
  struct winsize size = {.ws_row = 24, .ws_col = columns};
  return ioctl(terminal, TIOCSWINSZ, &size);
}

int greylock_await_flush(int terminal, int milliseconds) {
  unsigned char packet[256];
  long deadline = monotonic_milliseconds() + milliseconds;
  for (;;) {
    struct pollfd waited = {.fd = terminal, .events = POLLIN | POLLPRI};
    long left = deadline - monotonic_milliseconds();
    errno = ETIMEDOUT;
    if (left < 0 || poll(&waited, 1, (int)left) <= 0)
      return -1;
    ssize_t count = read(terminal, packet, sizeof packet);
    if (count <= 0)
      return -1;
    if (packet[0] & TIOCPKT_FLUSHREAD)
      return 0;
  }
}

int greylock_stop_at_exit(pid_t pid) {
  return (int)ptrace(PTRACE_SEIZE, pid, NULL, (void *)(long)PTRACE_O_TRACEEXIT);
}

int greylock_is_at_exit(int status) { return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8); }

int greylock_continue(pid_t pid, int signal) { return (int)ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal); }

int greylock_allow_core(pid_t pid) {
  struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
  return prlimit(pid, RLIMIT_CORE, &none, NULL);
}

const void *greylock_find(const void *bytes, size_t count, const void *pattern, size_t length) {
  return memmem(bytes, count, pattern, length);
}

enum { marked_bytes = 65536, mark = 0xA5, marks_in_a_row = 256 };

__attribute__((noinline)) void greylock_mark_stack(void) {
  unsigned char area[marked_bytes];
  memset(area, mark, sizeof area);
  __asm__ volatile("" : : "r"(area) : "memory");
}

__attribute__((noinline)) long greylock_used_below_zeros(size_t zeros) {
  unsigned char area[marked_bytes];
  __asm__ volatile("" : "=m"(area));
  size_t lowest = 0, marks = 0, found = 0;
  // The two areas need not begin at the same address, and one byte of what lies below may be a mark by chance.
  while (lowest < marked_bytes && marks < marks_in_a_row)
    marks = area[lowest++] == mark ? marks + 1 : 0;
  while (lowest < marked_bytes && area[lowest] == mark)
    lowest++;
  size_t end = lowest;
  while (end < marked_bytes && found < zeros)
    found = area[end++] == 0 ? found + 1 : 0;
  return found < zeros ? -1 : (long)(end - found - lowest);
}
