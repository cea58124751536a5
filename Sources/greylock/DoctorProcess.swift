import Files
import Glibc

/// Names in a folder; none where it cannot be read.
func namesInFolder(_ folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        // SAFETY: the entry is good until the next `readdir`; its name ends with a zero byte.
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
            unsafe name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
                unsafe String(cString: $0)
            }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

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
        namesInFolder("/proc/\(process)/task").compactMap { number in
            guard let thread = pid_t(number), let name = kernelText("/proc/\(process)/task/\(number)/comm") else {
                return nil
            }
            return ProcessThread(name: name, isRealTime: sched_getscheduler(thread) == SCHED_FIFO)
        }
    }
}
