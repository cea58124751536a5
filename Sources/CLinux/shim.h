// What Linux has and Swift's Glibc module leaves out: variadic functions, macros and GNU extensions.
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/// Names the calling thread, at most 15 bytes.
static inline int greylock_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/// No core dump, and no other process of the same user may read this one's memory.
static inline int greylock_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/// A file in memory alone, which the program that takes this process's place inherits.
static inline int greylock_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 0); }

/// The next client of a listening socket, nonblocking and closed by another program; -1 where there is none.
static inline int greylock_accept(int socket) {
    return (int)syscall(SYS_accept4, socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/// Whose process connected (unix(7): SO_PEERCRED); 0 as it should be, or -1.
static inline int greylock_peer_user(int socket, uint32_t *user) {
    struct { int32_t process; uint32_t user, group; } peer = {0, UINT32_MAX, 0};
    socklen_t length = sizeof peer;
    int result = getsockopt(socket, SOL_SOCKET, 17 /* SO_PEERCRED */, &peer, &length);
    *user = peer.user;
    return result;
}

/// The events of this input device go to this descriptor alone, until it is closed.
static inline int greylock_grab_input(int device) { return ioctl(device, EVIOCGRAB, 1); }

/// A set bit for each key that the input device has; returns the number of bytes.
static inline int greylock_input_keys(int device, void *bits, size_t length) {
    return ioctl(device, EVIOCGBIT(EV_KEY, length), bits);
}

/// What the input device calls itself; returns the number of bytes with the closing zero.
static inline int greylock_input_name(int device, char *name, size_t length) {
    return ioctl(device, EVIOCGNAME(length), name);
}

/// Whether something keeps the system's clock right (adjtimex(2)).
static inline int greylock_clock_is_kept(void) {
    struct timex state = {0};
    return adjtimex(&state) != TIME_ERROR;
}

/// The kind of a path's file system (statfs(2)), or -1.
static inline int64_t greylock_file_system_kind(const char *path) {
    struct statfs status;
    return statfs(path, &status) ? -1 : (int64_t)(uint32_t)status.f_type;
}

/// A file in the folder that has no name, to be read and written; or -1.
static inline int greylock_unnamed_file(const char *folder) {
    return open(folder, 020000000 /* __O_TMPFILE */ | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0600);
}

static inline void greylock_halt(int number) {
    (void)number;
    while (1) pause();
}

struct greylock_directory_entry {
    uint64_t inode;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

/// Sends the signal to every other thread that has not had it.
static inline size_t greylock_signal_others(int number, int *threads, size_t known, size_t most) {
    char entries[4096] __attribute__((aligned(8)));
    long bytes;
    int self = (int)syscall(SYS_gettid);
    int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0 && (bytes = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
        for (long place = 0; place < bytes;) {
            const struct greylock_directory_entry *entry = (const void *)(entries + place);
            int thread = atoi(entry->name);
            size_t index = 0;
            place += entry->length;
            while (index < known && threads[index] != thread) index++;
            if (thread <= 0 || thread == self || index < known || known == most) continue;
            threads[known++] = thread;
            syscall(SYS_tgkill, getpid(), thread, number);
        }
    }
    if (folder >= 0) close(folder);
    return known;
}

/// Halts all other threads, each where it stands, overwrites a piece of memory, and lets the program begin anew in this process's
/// place. A thread takes the signal before its next instruction; one that waits for a disk, before the first one after
/// that, and the program begins only then. Nothing is allocated: a halted thread may hold the allocator's lock. Returns
/// where the program cannot begin, with the others halted.
static inline void greylock_begin_anew(char *const arguments[], void *memory, size_t length) {
    extern char **environ;
    int threads[256];
    size_t known = 0, most = sizeof threads / sizeof *threads;
    // In which another processor takes an interrupt.
    struct timespec moment = {0, 200000};
    struct sched_param ordinary = {0};
    struct sigaction halt;
    memset(&halt, 0, sizeof halt);
    halt.sa_handler = greylock_halt;
    sigaction(SIGRTMAX, &halt, NULL);
    // A thread that one of them started meanwhile is met in the second round.
    for (int round = 0; round < 2; round++) {
        known = greylock_signal_others(SIGRTMAX, threads, known, most);
        nanosleep(&moment, NULL);
    }
    memset(memory, 0, length);
    __asm__ volatile("" : : "r"(memory) : "memory");
    // What begins has no haste any more.
    sched_setscheduler(0, SCHED_OTHER, &ordinary);
    execve("/proc/self/exe", arguments, environ);
}
