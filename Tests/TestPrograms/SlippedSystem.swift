package import TestFolders

/// Disks and clocks as no test may make them: a library that is loaded before the C library.
package struct SlippedSystem {
    private let library: String

    package init(in folder: TestFolder) throws {
        let source = try folder.file(
            "system.c",
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <fcntl.h>
            #include <stdarg.h>
            #include <stdlib.h>
            #include <string.h>
            #include <time.h>
            #include <unistd.h>
            static int draft = -1;
            static int ends(const char *path, const char *end) {
              size_t length = strlen(path), tail = strlen(end);
              return length >= tail && !strcmp(path + length - tail, end);
            }
            int open(const char *path, int flags, ...) {
              va_list rest;
              va_start(rest, flags);
              mode_t mode = va_arg(rest, mode_t);
              va_end(rest);
              if (getenv("SLIP_READ_ONLY") && flags & O_CREAT) { errno = EROFS; return -1; }
              int file = ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
              if (ends(path, ".greylock-draft")) draft = file;
              return file;
            }
            int open64(const char *, int, ...) __attribute__((alias("open")));
            ssize_t write(int file, const void *bytes, size_t count) {
              if (getenv("SLIP_FULL") && file == draft) { errno = ENOSPC; return -1; }
              return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(file, bytes, count);
            }
            time_t time(time_t *place) {
              const char *slip = getenv("SLIP_CLOCK");
              time_t now = slip ? atoll(slip) : ((time_t (*)(time_t *))dlsym(RTLD_NEXT, "time"))(NULL);
              if (place) *place = now;
              return now;
            }
            """
        )
        library = folder.path("system.so")
        let compiler = try Run(command: ["/usr/bin/env", "cc", "-shared", "-fPIC", "-o", library, source, "-ldl"])
        guard compiler.status == 0 else { throw StartedProcess.Failure(description: "cc: \(compiler.error)") }
    }

    /// - Parameter value: of a clock, the seconds since 1970 that it shows.
    package func environment(_ slip: String, _ value: Int = 1) -> [String] {
        ["LD_PRELOAD=\(library)", "\(slip)=\(value)"]
    }
}
