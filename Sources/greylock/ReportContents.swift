import ArgumentParser
import Configuration
import Console
import Files
import Foundation
import GPIO
import Journal
import Metering
import Quantities
import Records
import Station
import StationInterface
import Threads
import Words

/// What goes into a support archive. Whoever builds another view of a board adds a section to ``sections()``.
struct ReportContents {
    private static let logLines = 2_000
    private static let somePackagesAreMissing: Int32 = 1
    private static let recordsShown = 50
    /// More are counted, and not looked at.
    private static let recordsMax = 100_000

    let config: String

    func sections() -> [ReportSection] {
        let configuration: Configuration?
        do throws(ServiceFailure) { configuration = try Service.configuration(at: config) } catch {
            configuration = nil
        }
        return [
            versions(), settings(), check(), unit(), log("log.txt", "greylockd", Self.logLines),
            log("log-of-the-card-service.txt", "pcscd", Self.logLines / 10), status(configuration),
            records(configuration), chips(configuration), board(), disks(configuration), doctor(),
        ]
    }

    // MARK: - The program

    private func versions() -> ReportSection {
        var section = ReportSection("versions.txt")
        section.add("greylock \(MaskedText(masking: Release.version))")
        for path in [Self.ownPath, Self.serviceProgram] {
            do throws(FileFault) {
                let program = try ProgramIdentity(ofFile: path)
                section.add("\(path): SHA-256 \(MaskedText(digest: program.hash))")
            } catch { section.problems.append(MaskedText(masking: error.reason)) }
        }
        section.add(
            OtherProgram.run(
                [
                    "dpkg-query", "--show", "--showformat", "${binary:Package} ${Version} ${db:Status-Status}\n",
                    "greylock", "pcscd", "libccid", "libpcsclite1", "libgpiod*", "libsqlite3-0", "libssl3*", "libc6",
                    "systemd",
                    "polkitd", "softhsm2", "tpm2-tools", "linux-image-*",
                ],
                orStatus: [Self.somePackagesAreMissing]
            )
        )
        return section
    }

    private static let ownPath: String = {
        do throws(FileFault) { return try ProgramIdentity.pathOfThisProcess() } catch { return "/usr/bin/greylock" }
    }()

    private static let serviceProgram = FilePath.folder(of: ownPath) + "greylockd"

    private func settings() -> ReportSection {
        var section = ReportSection("configuration.txt")
        do throws(ConfigurationError) {
            section.lines = ConfigurationOutline.lines(try ConfigurationDocument.contents(of: config), file: config)
        } catch { section.problems.append(MaskedText(masking: "\(error)")) }
        return section
    }

    private func check() -> ReportSection {
        var section = ReportSection("check.txt")
        section.add(OtherProgram.run([Self.serviceProgram, "--config", config, "--check"]))
        return section
    }

    private func doctor() -> ReportSection {
        var section = ReportSection("doctor.txt")
        let command = [Self.ownPath, "doctor", "--config", config]
        section.add(OtherProgram.run(command, orStatus: Doctor.foundStatuses, within: Doctor.secondsMax))
        return section
    }

    // MARK: - The service

    private func unit() -> ReportSection {
        var section = ReportSection("unit.txt")
        let properties = [
            "Id", "LoadState", "ActiveState", "SubState", "Result", "UnitFileState", "FragmentPath", "DropInPaths",
            "NRestarts",
            "ExecMainStartTimestamp", "ExecMainExitTimestamp", "ExecMainCode", "ExecMainStatus", "StatusText",
            "StatusErrno",
            "ActiveEnterTimestamp", "InactiveEnterTimestamp", "ConditionResult", "NeedDaemonReload", "MemoryCurrent",
            "MemoryPeak", "CPUUsageNSec", "TasksCurrent", "WatchdogTimestamp", "User", "SupplementaryGroups",
        ]
        let units = ["greylockd.service", "pcscd.service", "pcscd.socket", "systemd-journald.service"]
        section.add(OtherProgram.run(["systemctl", "show", "--property", properties.joined(separator: ",")] + units))
        return section
    }

    private func log(_ name: String, _ unit: String, _ lines: Int) -> ReportSection {
        var section = ReportSection(name)
        let command = [
            "journalctl", "--unit", unit, "--output", "json", "--lines", "\(lines)", "--no-pager", "--quiet",
        ]
        switch OtherProgram.run(command) {
        case .printed(let text):
            section.lines = text.split(separator: "\n").map(LoggedLine.masked)
            if section.lines.isEmpty {
                section.problems.append("no line of \(unit): there is none, or this user may not read the journal")
            }
        case .failed(let reason): section.problems.append(MaskedText(masking: reason))
        }
        return section
    }

    private func status(_ configuration: Configuration?) -> ReportSection {
        var section = ReportSection("status.txt")
        guard let configuration, configuration.interface.read ?? configuration.interface.control != nil else {
            section.problems.append("the configuration names no socket, [interface] read")
            return section
        }
        do throws(ServiceFailure) {
            let report = try StationLink(.read, configuration: config).ask("status", for: StationReport.self)
            section.add("greylock \(report.version)")
            if report.drained { section.add("drained") }
            let (room, open) = (report.journal.room ?? -1, report.journal.openRecords ?? -1)
            section.add("journal: room \(room) of \(report.journal.capacity), open \(open) (-1: not counted)")
            for side in report.sides {
                section.add(
                    "position \(side.number), nozzle \(side.nozzle): \(side.state) [\(side.code)] \(side.words)"
                )
                if let sale = side.sale { section.add("  \(sale.centilitres) cl, \(sale.fen) fen") }
            }
        } catch { section.problems.append(MaskedText(masking: error.reason)) }
        return section
    }

    // MARK: - The records

    /// No key is needed to look at them, and so no code of a row is judged.
    private func records(_ configuration: Configuration?) -> ReportSection {
        var section = ReportSection("records.txt")
        guard let path = configuration?.journal.path else {
            section.problems.append("the configuration does not say where the journal is")
            return section
        }
        do throws(StorageFault) {
            let reader = try JournalReader(path: path)
            let records = try reader.records(limit: Self.recordsMax)
            var counts: [String: Int] = [:]
            for record in records { counts["\(record.kind.rawValue), \(record.phase.rawValue)", default: 0] += 1 }
            section.add("records: \(try reader.count())")
            for (kind, count) in counts.sorted(by: { $0.key < $1.key }) { section.add("  \(kind): \(count)") }
            section.add("open records: \(try reader.openRecords().count)")
            section.add("grey records: \(try reader.greyRecords().count)")
            for damage in try reader.damagedRows { section.add("damaged: \("\(damage)")") }
            for side in configuration?.sides ?? [] {
                guard let lock = try reader.lock(of: side.number) else { continue }
                section.add("position \(side.number) is closed: \(lock.reason)")
            }
            section.add("the newest:")
            for record in records.prefix(Self.recordsShown) {
                section.add(
                    """
                    record \(record.number.value), position \(record.side), \(record.kind.rawValue), \(record.phase.rawValue), \
                    begun \(record.begun.description), card \(record.card), \(record.reading.volume.shownCentilitres) cl, \
                    \(record.amount.fen) fen, pulser faults \(record.reading.faults.total), \(record.remark ?? "")
                    """
                )
            }
        } catch { section.problems.append(MaskedText(masking: "\(path): \(error)")) }
        return section
    }

    // MARK: - The board

    private func chips(_ configuration: Configuration?) -> ReportSection {
        var section = ReportSection("chips.txt")
        let present = Self.names(in: "/dev").filter { $0.hasPrefix("gpiochip") }.map { "/dev/\($0)" }.sorted()
        if present.isEmpty { section.add("the kernel shows no GPIO chip") }
        for chip in present {
            do throws(ServiceFailure) {
                let wired = try WiredChip(surveying: chip, configuration)
                for line in wired.table { section.add(MaskedText(masking: line)) }
                for problem in wired.problems { section.add("wrong: \(problem.reason)") }
            } catch { section.problems.append(MaskedText(masking: "\(chip): \(error.reason)")) }
        }
        return section
    }

    private func board() -> ReportSection {
        var section = ReportSection("board.txt")
        for file in ["/proc/device-tree/model", "/proc/version", "/proc/uptime", "/proc/loadavg", "/etc/os-release"] {
            for line in Self.text(of: file)?.split(separator: "\n").prefix(2) ?? [] {
                section.add("\(file): \(String(line).printable)")
            }
        }
        section.add(OtherProgram.run(["timedatectl", "show"]))
        return section
    }

    private func disks(_ configuration: Configuration?) -> ReportSection {
        var section = ReportSection("disks.txt")
        let journal = (configuration?.journal.path).map(FilePath.folder) ?? "/var/lib/greylock/"
        var folders = [journal, "/var/lib/greylock/", "/etc/greylock/", "/run/greylock/", "/var/log/journal/", "/tmp/"]
        if let store = configuration?.keys?.store { folders.append(FilePath.folder(of: store)) }
        var seen: Set<String> = []
        for folder in folders where seen.insert(folder).inserted {
            var room = statvfs()
            guard unsafe statvfs(folder, &room) == 0 else {
                section.add("\(folder): \(systemError())")
                continue
            }
            let unit = UInt64(room.f_frsize)
            section.add(
                "\(folder): \((UInt64(room.f_bavail) * unit) >> 20) of \((UInt64(room.f_blocks) * unit) >> 20) MiB free, \(room.f_favail) inodes free"
            )
            guard folder.contains("greylock") || folder == journal else { continue }
            for name in Self.names(in: folder).sorted() {
                var status = stat()
                guard unsafe lstat(folder + name, &status) == 0 else { continue }
                let mode = String(status.st_mode & 0o7777, radix: 8)
                section.add(
                    "  \(name): \(status.st_size) bytes, mode \(mode), user \(status.st_uid), group \(status.st_gid)"
                )
            }
        }
        return section
    }

    private static func names(in folder: String) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch { return [] }
    }

    private static func text(of file: String) -> String? {
        do throws(FileFault) {
            return try WholeFile.contents(file, bytesMax: 1 << 16).map { String(decoding: $0, as: UTF8.self) }
        } catch { return nil }
    }
}

/// A line of journald's, as `journalctl --output json` prints it.
private struct LoggedLine: Decodable {
    /// A text, or bytes where it is none.
    enum Message: Decodable {
        case text(String)
        case bytes([UInt8])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do { self = .text(try container.decode(String.self)) } catch {
                self = .bytes(try container.decode([UInt8].self))
            }
        }

        var text: String {
            switch self {
            case .text(let text): text
            case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    let time: String?
    let priority: String?
    let identifier: String?
    let message: Message?

    private enum CodingKeys: String, CodingKey {
        case time = "__REALTIME_TIMESTAMP"
        case priority = "PRIORITY"
        case identifier = "SYSLOG_IDENTIFIER"
        case message = "MESSAGE"
    }

    static func masked(_ line: Substring) -> MaskedText {
        let read: LoggedLine
        do { read = try JSONDecoder().decode(LoggedLine.self, from: Data(line.utf8)) } catch {
            return "a line that is no entry of a journal"
        }
        let seconds = (read.time.flatMap { Int64($0) } ?? 0) / 1_000_000
        let time = TransactionTime(utc: seconds).description
        return "\(time) UTC \(read.priority ?? "-") \(read.identifier ?? "-"): \(read.message?.text ?? "")"
    }
}
