private import Foundation
private import Glibc
package import TestFolders

/// A housing whose line tells that it is open, where the kernel has no simulated GPIO chip: a library that is loaded before
/// libgpiod and answers for a chip of one line. As with a real one, one program at a time has the line.
package struct SimulatedHousing {
    private let library: String
    private let level: String
    private let edges: String

    package init(in folder: TestFolder) throws {
        let source = try folder.file(
            "housing.c",
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <fcntl.h>
            #include <stdint.h>
            #include <stdlib.h>
            #include <sys/file.h>
            #include <time.h>
            #include <unistd.h>
            static int thing, line = -1;
            void *gpiod_chip_open(const char *path) { return &thing; }
            void gpiod_chip_close(void *chip) {}
            void *gpiod_chip_get_info(void *chip) { return &thing; }
            void gpiod_chip_info_free(void *info) {}
            const char *gpiod_chip_info_get_name(void *info) { return "housing"; }
            const char *gpiod_chip_info_get_label(void *info) { return "housing"; }
            size_t gpiod_chip_info_get_num_lines(void *info) { return 1; }
            void *gpiod_chip_get_line_info(void *chip, unsigned offset) { return &thing; }
            void gpiod_line_info_free(void *info) {}
            _Bool gpiod_line_info_is_used(void *info) { return 1; }
            const char *gpiod_line_info_get_consumer(void *info) { return "another"; }
            void *gpiod_chip_request_lines(void *chip, void *request, void *lines) {
              int file = open(getenv("HOUSING_EDGES"), O_RDWR | O_CLOEXEC);
              if (flock(file, LOCK_EX | LOCK_NB)) { close(file); errno = EBUSY; return NULL; }
              line = file;
              return &line;
            }
            void gpiod_line_request_release(void *request) { close(line); }
            int gpiod_line_request_get_fd(void *request) { return line; }
            int gpiod_line_request_get_values(void *request, int *values) {
              values[0] = !access(getenv("HOUSING_LEVEL"), F_OK);
              return 0;
            }
            int gpiod_line_request_read_edge_events(void *request, void *buffer, size_t max) {
              char edge;
              return read(line, &edge, 1);
            }
            void *gpiod_edge_event_buffer_get_event(void *buffer, unsigned long index) { return &thing; }
            int gpiod_edge_event_get_event_type(void *event) { return 1; }
            unsigned gpiod_edge_event_get_line_offset(void *event) { return 0; }
            unsigned long gpiod_edge_event_get_line_seqno(void *event) { return 1; }
            uint64_t gpiod_edge_event_get_timestamp_ns(void *event) {
              struct timespec now;
              clock_gettime(CLOCK_MONOTONIC, &now);
              return now.tv_sec * 1000000000ull + now.tv_nsec;
            }
            """
        )
        library = folder.path("housing.so")
        level = folder.path("housing-open")
        edges = folder.path("housing-edges")
        let compiler = try Run(command: ["/usr/bin/env", "cc", "-shared", "-fPIC", "-o", library, source])
        guard compiler.status == 0 else { throw StartedProcess.Failure(description: "cc: \(compiler.error)") }
        guard unsafe mkfifo(edges, 0o600) == 0 else { throw StartedProcess.Failure(description: "no pipe \(edges)") }
    }

    package var environment: [String] {
        ["LD_PRELOAD=\(library)", "HOUSING_LEVEL=\(level)", "HOUSING_EDGES=\(edges)"]
    }

    /// Of a program's configuration.
    package var settings: String {
        """
        [keys.tamper]
        chip = "/dev/housing"
        line = 0
        active = "high"
        """
    }

    package func open() throws {
        try Data().write(to: URL(filePath: level))
        let pipe = unsafe Glibc.open(edges, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        defer { Glibc.close(pipe) }
        guard unsafe write(pipe, "e", 1) == 1 else { throw StartedProcess.Failure(description: "no edge") }
    }

    package func close() throws { try FileManager.default.removeItem(atPath: level) }
}
