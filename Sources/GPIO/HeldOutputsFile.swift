private import Glibc
package import Threads

/// Where a running service says which outputs it holds, for the stop action that comes after it was killed. It appears
/// whole, by its rename, before any valve can open.
package struct HeldOutputsFile: Sendable {
    package enum Content: Equatable, Sendable {
        case absent
        case held([HeldOutputs])
        /// With the reason.
        case unreadable(String)
    }

    private static let name = "outputs"
    private static let bytesMax = 65_536
    private let folder: String

    package var path: String { "\(folder)/\(Self.name)" }

    package init(folder: String) { self.folder = folder }

    /// In the folder that systemd made for the unit; nil outside a unit (systemd.exec(5), RuntimeDirectory=).
    package init?() {
        guard let folders = unsafe getenv("RUNTIME_DIRECTORY").map({ unsafe String(cString: $0) }),
            let folder = folders.split(separator: ":").first
        else { return nil }
        self.init(folder: String(folder))
    }

    package func write(_ outputs: [HeldOutputs]) throws(ServiceFailure) {
        let new = "\(path).new"
        let file = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open \(new)") }
        let bytes = Array(outputs.map(\.text).joined().utf8)
        let isWritten = unsafe Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let fault = failure("write \(new)")
        close(file)
        guard isWritten else { throw fault }
        guard unsafe rename(new, path) == 0 else { throw failure("rename \(new)") }
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open \(folder)") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("fsync \(folder)") }
    }

    package func read() -> Content {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return errno == ENOENT ? .absent : .unreadable(systemError()) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { return .unreadable(systemError()) }
        guard let outputs = HeldOutputs.all(parsing: String(decoding: bytes.prefix(count), as: UTF8.self)) else {
            return .unreadable("not what the service wrote")
        }
        return .held(outputs)
    }

    private func failure(_ operation: String) -> ServiceFailure {
        ServiceFailure(
            exitStatus: ServiceFailure.inputOutput,
            reason: "which outputs are held could not be noted: \(operation): \(systemError())"
        )
    }
}
