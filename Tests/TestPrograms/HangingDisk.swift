import Glibc
package import TestFolders

/// A disk that never answers, from a moment of the test's choosing: a library that is loaded before the C library and takes
/// `fsync` and `fdatasync`, the lowest calls that this project makes of a disk, and the opening of one file.
package struct HangingDisk {
    private let library: String
    private let gate: String
    private let file: String

    /// - Parameter file: its opening hangs; nil for none.
    package init(in folder: TestFolder, openingOf file: String? = nil) throws {
        let source = try folder.file(
            "disk.c",
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <fcntl.h>
            #include <stdarg.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            static void hang(void) {
              const char *gate = getenv("DISK_GATE");
              if (!gate || access(gate, F_OK)) return;
              int told = open(gate, O_WRONLY);
              if (write(told, "!", 1) < 0) {}
              for (;;) pause();
            }
            int fsync(int fd) { hang(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
            int fdatasync(int fd) { hang(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
            int open(const char *path, int flags, ...) {
              va_list rest;
              va_start(rest, flags);
              mode_t mode = va_arg(rest, mode_t);
              va_end(rest);
              const char *file = getenv("DISK_FILE");
              if (file && !strcmp(file, path)) hang();
              return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
            }
            int open64(const char *, int, ...) __attribute__((alias("open")));
            """
        )
        library = folder.path("disk.so")
        gate = folder.path("gate")
        self.file = file ?? ""
        let compiler = try Run(command: ["/usr/bin/env", "cc", "-shared", "-fPIC", "-o", library, source, "-ldl"])
        guard compiler.status == 0 else { throw StartedProcess.Failure(description: "cc: \(compiler.error)") }
    }

    /// Of the program's environment.
    package var variables: [String: String] { ["LD_PRELOAD": library, "DISK_GATE": gate, "DISK_FILE": file] }

    /// From now on.
    package func fail() { unsafe _ = mkfifo(gate, 0o600) }

    /// Returns when the program stands in it.
    package func awaitHang() throws {
        let reading = unsafe open(gate, O_RDONLY | O_NONBLOCK)
        defer { close(reading) }
        guard Patience().awaitInput(of: reading) else { throw OutOfPatience("a call to the disk") }
        unsafe _ = unlink(gate)
    }
}
