#pragma once
#include <stddef.h>
#include <sys/types.h>

// What a test needs to start a program, to wait for it and no longer than it should, to hold it at its end, and to search
// its memory; all of it is variadic or a GNU extension, which Swift's Glibc module leaves out. -1 is failure, with the
// reason in errno.

/// Starts a program in a process group of its own, with three descriptors as its standard ones and no other, no signal
/// blocked and each as it is by default.
int greylock_spawn(const char *path, char *const arguments[], char *const environment[], const int descriptors[3],
                   pid_t *pid);

/// waitpid(2) for `milliseconds` at most.
///
/// Returns the process, or 0 when the time is over.
pid_t greylock_wait(pid_t pid, int options, long milliseconds, int *status);

/// Makes a pipe that no program inherits: its reading and its writing end.
int greylock_pipe(int ends[2]);

struct greylock_started {
  pid_t pid;
  /// The other end of its controlling terminal.
  int terminal;
  /// Where its standard error is read.
  int errors;
};

/// Starts a program in a session of its own, at a new terminal; no descriptor of this process is passed on.
int greylock_start(const char *path, char *const arguments[], char *const environment[],
                   struct greylock_started *started);

/// The same, with a terminal whose other end reads as a plain one does.
int greylock_start_plain(const char *path, char *const arguments[], char *const environment[],
                         struct greylock_started *started);

/// What is written to the other end of this terminal waits, as after Ctrl-S.
int greylock_stop_output(int terminal);

/// Makes a pipe as small as the system has them.
int greylock_narrow(int end);

/// The terminal's width from now on.
int greylock_set_columns(int terminal, unsigned short columns);

/// Returns when the program has thrown away what was typed before, as one does that turns the echo off; -1 also when it has
/// not within `milliseconds`.
int greylock_await_flush(int terminal, int milliseconds);

/// From now on the process stops when its first thread ends, with its memory as it then is. Only the calling thread
/// may continue it.
int greylock_stop_at_exit(pid_t pid);

/// Whether a status of waitpid(2) is that stop.
int greylock_is_at_exit(int status);

int greylock_continue(pid_t pid, int signal);

/// Lets the process leave a core, as far as its size goes (prlimit(2)).
int greylock_allow_core(pid_t pid);

/// From now on each call of this process is kept that changes a file in the folder: open, close, write, pwrite, ftruncate, fsync,
/// fdatasync, rename and unlink, as far as they succeed.
void greylock_record_begin(const char *folder);

/// Keeps a number among the calls.
void greylock_record_mark(int number);

/// All calls since, until the next recording: each a letter, a descriptor of 4 bytes, a number of 8 and three texts with 4 bytes of length
/// before them, in the machine's order of bytes. The number is an open's flags, a write's place (-1 for the file's end) or a length.
const unsigned char *greylock_record_end(size_t *count);

/// memmem(3)
const void *greylock_find(const void *bytes, size_t count, const void *pattern, size_t length);

/// Marks the stack below the caller.
void greylock_mark_stack(void);

/// How many bytes were used, since it was marked, below the lowest `zeros` bytes of zeros that follow each other; -1
/// when there are none.
long greylock_used_below_zeros(size_t zeros);
