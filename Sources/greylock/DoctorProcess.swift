import Files
import Glibc

/// nil where there is no such file, or this user may not read it.
func wholeText(_ path: String, bytesMax: Int) -> String? {
    do throws(FileFault) {
        return try WholeFile.contents(path, bytesMax: bytesMax).map { String(decoding: $0, as: UTF8.self) }
    } catch {
        return nil
    }
}

/// The first line of a small file of the kernel's.
func kernelText(_ path: String) -> String? {
    wholeText(path, bytesMax: 4_096).map { $0.split(separator: "\n").first.map(String.init) ?? "" }
}

/// A thread of any process.
struct ProcessThread {
    let name: String
    let isRealTime: Bool

    /// The corresponding C function is `sched_getscheduler`.
    static func all(of process: pid_t) -> [ProcessThread] {
        Folder.names(in: "/proc/\(process)/task").compactMap { number in
            guard let thread = pid_t(number), let name = kernelText("/proc/\(process)/task/\(number)/comm") else {
                return nil
            }
            return ProcessThread(name: name, isRealTime: sched_getscheduler(thread) == SCHED_FIFO)
        }
    }
}
