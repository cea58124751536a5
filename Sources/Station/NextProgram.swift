private import CLinux
private import CardCryptography
import Configuration
private import Files
private import Glibc
import Threads

/// This program, to begin anew in its own place. What it has to destroy then it learns from the settings as this process read
/// them, out of its memory.
struct NextProgram: Sendable {
    /// The settings' descriptor, when the line became active, and when the outputs were off; 0 for not yet.
    static let variable = "GREYLOCK_TAMPER"
    private static let mappingsBytesMax = 1 << 20
    /// `MADV_POPULATE_READ` of madvise(2).
    private static let populateRead: Int32 = 22

    private let settings: Int32
    /// What the locked buffers of all keys lie in.
    private let keys: Range<UInt>
    private let code: [Range<UInt>]

    init(_ configuration: Configuration) throws(ServiceFailure) {
        settings = unsafe greylock_memory_file("settings")
        let bytes = configuration.source
        guard settings >= 0, unsafe write(settings, bytes, bytes.count) == bytes.count else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.systemError,
                reason: "the settings cannot be kept in memory: \(systemError())"
            )
        }
        let mappings = try Self.mappings()
        let key = LockedBuffer(count: 1).address()
        guard let keys = mappings.first(where: { $0.range.contains(key) })?.range else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.systemError,
                reason: "/proc/self/maps does not show the keys' memory"
            )
        }
        self.keys = keys
        code = mappings.filter(\.isCode).map(\.range)
    }

    /// Brings all code of this process into its memory: what is done when the line becomes active was never done before, and must
    /// not wait for a disk. The corresponding C function is `madvise`; a kernel before 5.14 does nothing.
    func bringCode() {
        for mapping in code {
            // SAFETY: nothing of the mapping is changed.
            let start = unsafe UnsafeMutableRawPointer(bitPattern: mapping.lowerBound)
            unsafe _ = madvise(start, mapping.count, Self.populateRead)
        }
    }

    /// Halts every other thread where it stands, overwrites the keys, and begins.
    func begin(edge: UInt64, valvesAreOff: UInt64?) -> Never {
        unsafe setenv(Self.variable, "\(settings) \(edge) \(valvesAreOff ?? 0)", 1)
        // SAFETY: the range is a mapping of this process, and its owners are halted for good.
        unsafe greylock_begin_anew(
            CommandLine.unsafeArgv,
            UnsafeMutableRawPointer(bitPattern: keys.lowerBound),
            keys.count
        )
        _exit(ServiceFailure.systemError)
    }

    private static func mappings() throws(ServiceFailure) -> [(range: Range<UInt>, isCode: Bool)] {
        let bytes: [UInt8]?
        do throws(FileFault) { bytes = try WholeFile.contents("/proc/self/maps", bytesMax: mappingsBytesMax) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.systemError, reason: error.reason)
        }
        return String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").compactMap { row in
            let words = row.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard words.count >= 2, ends.count == 2, ends[0] < ends[1] else { return nil }
            return (ends[0]..<ends[1], words[1].hasPrefix("r-x"))
        }
    }
}
