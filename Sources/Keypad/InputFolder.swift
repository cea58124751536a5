private import Files
import Glibc

/// What the system shows of input devices and of who has them.
enum InputFolder {
    private static let folder = "/dev/input/by-path"
    /// So many processes are looked through for who has a device.
    private static let processesMax = 4_096

    /// Paths of the keyboards that are there.
    static func keyboards() -> [String] {
        Folder.names(in: folder).filter { $0.hasSuffix("-kbd") }.map { "\(folder)/\($0)" }
    }

    /// Programs that have the device open, this process's other descriptors too.
    ///
    /// - Parameter own: the descriptor that does not count.
    static func holders(of device: dev_t, but own: Int32) -> [String] {
        let processes = Folder.names(in: "/proc").filter { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return processes.prefix(processesMax).compactMap { process in
            let isOurs = process == "\(getpid())"
            let descriptors = Folder.names(in: "/proc/\(process)/fd").filter { !isOurs || $0 != "\(own)" }
            let hasIt = descriptors.contains { self.device(at: "/proc/\(process)/fd/\($0)") == device }
            guard hasIt else { return nil }
            return isOurs ? "the other side of this service that has it" : "\(name(of: process)) (\(process))"
        }
    }

    /// nil for what is no character device. The corresponding C function is `stat`.
    static func device(at path: String) -> dev_t? {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFCHR else { return nil }
        return status.st_rdev
    }

    private static func name(of process: String) -> String {
        let file = unsafe open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "process" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
    }
}
