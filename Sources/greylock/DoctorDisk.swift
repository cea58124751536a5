import CLinux
import Configuration
import Files
import Glibc
import Threads

/// The folders that a service writes to, and the disks below them.
struct DoctorDisk {
    private static let tmpfs: Int64 = 0x0102_1994
    private static let ramfs: Int64 = 0x8584_58F6
    private static let fullBytes: UInt64 = 16 << 20
    private static let fillingBytes: UInt64 = 128 << 20
    private static let fullFiles: UInt64 = 16
    private static let probeSecondsMax: UInt64 = 10
    /// So long a checkpoint may take on a disk that is fit: at 60 litres a minute half a litre flows in 500 ms.
    private static let slowMilliseconds: UInt64 = 100
    /// Of the eleven steps of an eMMC's life (JESD84-B51, DEVICE_LIFE_TIME_EST), each a tenth.
    private static let wornTenths = 9

    let configuration: Configuration
    let account: Account
    /// Nothing is written while fuel flows: its checkpoints go to the same disk.
    let isFuelling: Bool

    func examine(_ diagnosis: inout Diagnosis) {
        var seen: Set<dev_t> = []
        for folder in folders {
            guard let status = FileStatus(folder) else {
                if errno == EACCES {
                    diagnosis.mayNotSee(.disk, "this user may not look at \(folder)")
                } else {
                    diagnosis.find(
                        .folderMissing,
                        "there is no \(folder)",
                        mend: "install -d -m 700 -o \(account.name) \(folder)"
                    )
                }
                continue
            }
            if let refusal = account.refusal(toMakeFilesIn: folder) {
                diagnosis.find(.folderForbidden, refusal, mend: account.advice(toGive: folder))
            }
            guard seen.insert(status.device).inserted else { continue }
            examineRoom(folder, &diagnosis)
            examineWear(status.device, &diagnosis)
        }
    }

    /// Each once, the journal's first.
    private var folders: [String] {
        let journal = configuration.journal
        let files = [
            journal.path, journal.mark ?? journal.path, configuration.totals.file, configuration.parameters.path,
        ]
        let all = files + [configuration.keys?.store].compactMap(\.self)
        return all.map(FilePath.folder).reduce(into: []) { folders, folder in
            if !folders.contains(folder) { folders.append(folder) }
        }
    }

    private func examineRoom(_ folder: String, _ diagnosis: inout Diagnosis) {
        var room = statvfs()
        guard unsafe statvfs(folder, &room) == 0 else {
            return diagnosis.miss(.disk, "\(folder): \(systemError())")
        }
        if unsafe [Self.tmpfs, Self.ramfs].contains(greylock_file_system_kind(folder)) {
            diagnosis.find(.folderInMemory, "\(folder) is in memory")
        }
        guard room.f_flag & UInt(ST_RDONLY) == 0 else {
            return diagnosis.find(.diskReadOnly, "\(folder) is on a disk that is mounted read-only")
        }
        let bytes = UInt64(room.f_bavail) * UInt64(room.f_frsize)
        let words = "\(folder) has \(bytes >> 20) MiB free"
        // A file system that makes places for files as it needs them says none.
        let hasFiles = room.f_files == 0 || UInt64(room.f_favail) >= Self.fullFiles
        if bytes < Self.fullBytes {
            diagnosis.find(.diskFull, words)
        } else if !hasFiles {
            diagnosis.find(.diskFull, "\(folder) has room for \(room.f_favail) more files", mend: "remove files")
        } else if bytes < Self.fillingBytes {
            diagnosis.find(.diskFilling, words)
        } else {
            diagnosis.see(.disk, words)
        }
        if isFuelling {
            diagnosis.miss(.disk, "how fast \(folder) is, because fuel flows: ask again when no sale runs")
        } else {
            probe(folder, &diagnosis)
        }
    }

    /// In a process of its own, because no signal ends one that waits for a disk.
    private func probe(_ folder: String, _ diagnosis: inout Diagnosis) {
        let said = ChildOutput.of("/proc/self/exe", ["doctor", "--probe", folder], seconds: Self.probeSecondsMax)
        guard let said else {
            return diagnosis.find(.diskSilent, "a write to \(folder) did not end within \(Self.probeSecondsMax) s")
        }
        switch DiskProbe(said) {
        case .forbidden: diagnosis.mayNotSee(.disk, "how fast \(folder) is: this user may not write there")
        case .failed(let reason): diagnosis.find(.diskFailed, "\(folder): \(reason)")
        case .took(let microseconds):
            let sorted = microseconds.sorted()
            let (middle, most) = (sorted[sorted.count / 2], sorted[sorted.count - 1])
            func milliseconds(_ time: UInt64) -> String { "\(time / 1_000).\(time / 100 % 10) ms" }
            let words = "a durable write to \(folder) takes \(milliseconds(middle)), at most \(milliseconds(most))"
            if middle > Self.slowMilliseconds * 1_000 {
                diagnosis.find(.diskSlow, "\(words), and half a litre flows in 500 ms")
            } else {
                diagnosis.see(.disk, words)
            }
        }
    }

    private func examineWear(_ device: dev_t, _ diagnosis: inout Diagnosis) {
        let block = "/sys/dev/block/\(gnu_dev_major(device)):\(gnu_dev_minor(device))"
        for folder in ["\(block)/device", "\(block)/../device"] {
            guard let text = kernelText("\(folder)/life_time") else { continue }
            let tenths = text.split(separator: " ").compactMap { Int($0.dropFirst(2), radix: 16) }.max() ?? 0
            let warns = kernelText("\(folder)/pre_eol_info").map { ["0x02", "0x03"].contains($0) } ?? false
            if tenths >= Self.wornTenths || warns {
                diagnosis.find(.diskWorn, "\(folder)/life_time says \(text), 0x0b being the end")
            } else {
                diagnosis.see(.disk, "its wear is \(text), 0x0b being the end")
            }
            return
        }
    }
}

/// What came of durable writes.
enum DiskProbe {
    private static let turns = 5
    private static let blockBytes = 4_096

    /// Each, in microseconds.
    case took([UInt64])
    case forbidden
    case failed(String)

    /// Of what ``words`` say.
    init(_ words: String) {
        let times = words.split(separator: " ").compactMap { UInt64($0) }
        self = times.count == Self.turns ? .took(times) : words == "forbidden" ? .forbidden : .failed(words)
    }

    /// Writes into a file that has no name, and is gone with its descriptor. The corresponding C functions are `pwrite` and
    /// `fdatasync`.
    init(writingTo folder: String) {
        let file = unsafe greylock_unnamed_file(folder)
        guard file >= 0 else {
            self = errno == EACCES || errno == EPERM ? .forbidden : .failed("no file without a name: \(systemError())")
            return
        }
        defer { close(file) }
        let bytes = [UInt8](repeating: 0x55, count: Self.blockBytes)
        var times: [UInt64] = []
        for turn in 0..<Self.turns {
            let begun = MonotonicClock.nanoseconds
            let written = unsafe pwrite(file, bytes, bytes.count, off_t(turn * bytes.count))
            guard written == bytes.count, fdatasync(file) == 0 else {
                self = .failed(systemError())
                return
            }
            times.append((MonotonicClock.nanoseconds - begun) / 1_000)
        }
        self = .took(times)
    }

    var words: String {
        switch self {
        case .took(let microseconds): microseconds.map(String.init).joined(separator: " ")
        case .forbidden: "forbidden"
        case .failed(let reason): reason
        }
    }
}
