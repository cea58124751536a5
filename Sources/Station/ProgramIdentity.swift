import CardCryptography
package import Files
import Glibc
import ISO7816
import Parameters
import Records
import Threads

/// Which program runs: told from its file, and not from what was built into it.
package struct ProgramIdentity: Sendable {
    /// SHA-256 of the file.
    package let hash: [UInt8]
    package let path: String
    /// Another file has the program's name since it was begun, or none.
    package let wasExchanged: Bool

    package var digits: String { Hex.string(hash) }

    /// Of this process: the file that it was begun from, also where another has its name by now. Blocks while it is read.
    package static func ofThisProcess() throws(FileFault) -> ProgramIdentity {
        ProgramIdentity(
            hash: try hash(ofFile: "/proc/self/exe"),
            path: try pathOfThisProcess(),
            wasExchanged: try name().hasSuffix(gone)
        )
    }

    /// Where this process was begun from, also where another file is there by now.
    package static func pathOfThisProcess() throws(FileFault) -> String {
        let name = try name()
        return name.hasSuffix(gone) ? String(name.dropLast(gone.count)) : name
    }

    /// The kernel's words behind a file that has no name any more.
    private static let gone = " (deleted)"

    /// Of the file at `path`, as it is now.
    package init(ofFile path: String) throws(FileFault) {
        self.init(hash: try Self.hash(ofFile: path), path: path, wasExchanged: false)
    }

    private init(hash: [UInt8], path: String, wasExchanged: Bool) {
        self.hash = hash
        self.path = path
        self.wasExchanged = wasExchanged
    }

    private static let partLength = 1 << 16

    private static func hash(ofFile path: String) throws(FileFault) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else { throw FileFault("cannot open \(path): \(systemError())") }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw FileFault("cannot read \(path): \(systemError())") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault("\(path) is no regular file") }
        var stream = SHA256.Stream()
        var part = [UInt8](repeating: 0, count: partLength)
        while true {
            var span = part.mutableSpan
            let count = try WholeFile.read(file, path, into: &span)
            guard count > 0 else { return stream.finish() }
            stream.update(part.prefix(count))
        }
    }

    /// The corresponding C function is `readlink`.
    private static func name() throws(FileFault) -> String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
        guard count > 0 else { throw FileFault("cannot read /proc/self/exe: \(systemError())") }
        return String(decoding: bytes.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// What a record says of program and parameters.
    func identification(under set: ParameterSet) -> SoftwareIdentification {
        SoftwareIdentification(
            version: Release.version,
            program: hash,
            parametersVersion: set.version,
            parameters: set.hash
        )
    }
}
