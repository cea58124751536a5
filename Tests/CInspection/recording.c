#define _GNU_SOURCE
#include "CInspection.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The calls by which this project and SQLite change files, before those of the C library: this program's own come first.

enum { files_max = 4096 };

static atomic_int recording;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static unsigned char inside[files_max];
static unsigned char *calls;
static size_t used, room;

static void put(const void *bytes, size_t count) {
  if (used + count > room) {
    room = 2 * (used + count);
    calls = realloc(calls, room);
    if (!calls)
      abort();
  }
  memcpy(calls + used, bytes, count);
  used += count;
}

static void put_bytes(const void *bytes, size_t count) {
  uint32_t length = (uint32_t)count;
  put(&length, sizeof length);
  put(bytes, count);
}

static void note(char kind, int file, int64_t number, const char *path, const char *other, const void *bytes,
                 size_t count) {
  int32_t descriptor = file;
  put(&kind, 1);
  put(&descriptor, sizeof descriptor);
  put(&number, sizeof number);
  put_bytes(path, strlen(path));
  put_bytes(other, strlen(other));
  put_bytes(bytes, count);
}

static int is_inside(const char *path) {
  size_t length = strlen(folder);
  return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int is_ours(int file) { return file >= 0 && file < files_max && inside[file]; }

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

static int opened(const char *name, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = REAL(name, int (*)(const char *, int, ...));
  // Another test's file may be a pipe that is waited for.
  if (!atomic_load(&recording) || !is_inside(path))
    return real(path, flags, mode);
  pthread_mutex_lock(&order);
  int file = real(path, flags, mode);
  if (file >= 0 && file < files_max) {
    inside[file] = 1;
    note('o', file, flags, path, "", "", 0);
  }
  pthread_mutex_unlock(&order);
  return file;
}

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                            \
    va_end(rest);                                                                                                      \
    return opened(#name, path, flags, mode);                                                                           \
  }
OPEN(open)
OPEN(open64)

int close(int file) {
  int (*real)(int) = REAL("close", int (*)(int));
  if (atomic_load(&recording) && is_ours(file)) {
    pthread_mutex_lock(&order);
    inside[file] = 0;
    note('c', file, 0, "", "", "", 0);
    pthread_mutex_unlock(&order);
  }
  return real(file);
}

ssize_t write(int file, const void *bytes, size_t count) {
  ssize_t (*real)(int, const void *, size_t) = REAL("write", ssize_t (*)(int, const void *, size_t));
  if (!atomic_load(&recording) || !is_ours(file))
    return real(file, bytes, count);
  pthread_mutex_lock(&order);
  int64_t place = fcntl(file, F_GETFL) & O_APPEND ? -1 : lseek(file, 0, SEEK_CUR);
  ssize_t done = real(file, bytes, count);
  if (done > 0)
    note('w', file, place, "", "", bytes, (size_t)done);
  pthread_mutex_unlock(&order);
  return done;
}

static ssize_t written(const char *name, int file, const void *bytes, size_t count, off_t place) {
  ssize_t (*real)(int, const void *, size_t, off_t) = REAL(name, ssize_t (*)(int, const void *, size_t, off_t));
  if (!atomic_load(&recording) || !is_ours(file))
    return real(file, bytes, count, place);
  pthread_mutex_lock(&order);
  ssize_t done = real(file, bytes, count, place);
  if (done > 0)
    note('w', file, place, "", "", bytes, (size_t)done);
  pthread_mutex_unlock(&order);
  return done;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
  return written("pwrite", file, bytes, count, place);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t place) {
  return written("pwrite64", file, bytes, count, place);
}

static int called(const char *name, char kind, int file, int64_t number) {
  int result = kind == 't' ? REAL(name, int (*)(int, off_t))(file, number) : REAL(name, int (*)(int))(file);
  if (!result && atomic_load(&recording) && is_ours(file)) {
    pthread_mutex_lock(&order);
    note(kind, file, number, "", "", "", 0);
    pthread_mutex_unlock(&order);
  }
  return result;
}

int ftruncate(int file, off_t length) { return called("ftruncate", 't', file, length); }
int ftruncate64(int file, off64_t length) { return called("ftruncate64", 't', file, length); }
int fsync(int file) { return called("fsync", 'f', file, 0); }
int fdatasync(int file) { return called("fdatasync", 'f', file, 0); }

int rename(const char *old, const char *new) {
  int result = REAL("rename", int (*)(const char *, const char *))(old, new);
  if (!result && atomic_load(&recording) && is_inside(old)) {
    pthread_mutex_lock(&order);
    note('r', -1, 0, old, new, "", 0);
    pthread_mutex_unlock(&order);
  }
  return result;
}

int unlink(const char *path) {
  int result = REAL("unlink", int (*)(const char *))(path);
  if (!result && atomic_load(&recording) && is_inside(path)) {
    pthread_mutex_lock(&order);
    note('u', -1, 0, path, "", "", 0);
    pthread_mutex_unlock(&order);
  }
  return result;
}

void greylock_record_begin(const char *path) {
  snprintf(folder, sizeof folder, "%s", path);
  used = 0;
  memset(inside, 0, sizeof inside);
  atomic_store(&recording, 1);
}

void greylock_record_mark(int number) {
  pthread_mutex_lock(&order);
  note('m', -1, number, "", "", "", 0);
  pthread_mutex_unlock(&order);
}

const unsigned char *greylock_record_end(size_t *count) {
  atomic_store(&recording, 0);
  *count = used;
  return calls;
}
