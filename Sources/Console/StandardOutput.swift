private import Glibc
import Quantities
private import Synchronization
import Threads

/// Standard output of the programs: every write is looked at. What could not be written is said on standard error when the
/// program ends, and its exit status is not 0.
package enum StandardOutput {
    /// EX_IOERR of sysexits.h.
    private static let inputOutput: Int32 = 74

    /// Of the first write that failed; nothing is written after it.
    private static let failure = Mutex<String?>(nil)

    /// Runs a program and ends the process.
    ///
    /// - Parameters:
    ///   - body: the program's work.
    ///   - explain: what is said of an error, and its exit status; 0 for what was asked for, as a help.
    package static func runProgram(
        _ name: String,
        _ body: () throws -> Void,
        explain: (any Error) -> (text: String, status: Int32)
    ) -> Never {
        holdDescriptors()
        // A pipe that nobody reads is an error of the write.
        _ = signal(SIGPIPE, SIG_IGN)
        // So is a file that may not grow any more: nobody else would close the valves.
        _ = signal(SIGXFSZ, SIG_IGN)
        var status: Int32 = 0
        do {
            try body()
        } catch {
            let (text, code) = explain(error)
            status = code
            if code == 0 {
                write(text + "\n")
            } else if !text.isEmpty {
                standardError(text)
            }
        }
        exit(end(name, status))
    }

    package static func write(_ text: String) {
        failure.withLock { failure in
            guard failure == nil else { return }
            failure = Self.put(Array(text.utf8))
        }
    }

    /// A closed descriptor of the three would be given to the next file that is opened, and lines would go into it.
    private static func holdDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // Standard output stays one that cannot be written.
            let taken = unsafe open("/dev/null", descriptor == STDERR_FILENO ? O_RDWR : O_RDONLY)
            precondition(taken == descriptor, "the lowest free descriptor is taken")
        }
    }

    private static func end(_ name: String, _ status: Int32) -> Int32 {
        let reason = failure.withLock { failure in failure ?? (close(STDOUT_FILENO) == 0 ? nil : systemError()) }
        guard let reason else { return status }
        standardError("\(name): standard output: \(reason)")
        return status == 0 ? inputOutput : status
    }

    /// - Returns: why not all bytes were taken.
    private static func put(_ bytes: [UInt8]) -> String? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                unsafe _ = poll(&wait, 1, -1)
            } else if errno != EINTR {
                return systemError()
            }
        }
        return nil
    }
}

/// Writes a line to standard output.
package func writeLine(_ line: String = "", terminator: String = "\n") {
    StandardOutput.write(line + terminator)
}

/// Writes whole lines to standard error, with what is not printable escaped; a closed standard error loses them.
package func standardError(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable + "\n" }
    let bytes = Array(lines.joined().utf8)
    unsafe _ = write(STDERR_FILENO, bytes, bytes.count)
}
