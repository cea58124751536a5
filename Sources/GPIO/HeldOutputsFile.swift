private import Files
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
        do throws(FileFault) {
            try WholeFile.replace(path, with: Array(outputs.map(\.text).joined().utf8))
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "which outputs are held could not be noted: \(error.reason)"
            )
        }
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
}
