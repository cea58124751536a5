import Foundation
import Glibc
import Journal
import KeyCustody
import Quantities
import Records
import SQLite
import TestFolders
import TestPrograms
import Testing

/// Faults of configuration and books: each is made, found, mended as doctor says, and gone.
@Suite("doctor: configuration and books", .timeLimit(.minutes(10)))
struct DoctorTests {
    static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder
    }()

    private let folder: TestFolder
    private let config: String
    private let text: String
    private let journal: String

    init() throws {
        folder = try TestFolder()
        journal = folder.path("journal")
        text = toolConfiguration(journal: journal)
        config = try folder.file("greylock.toml", text)
        try makeJournal(journal)
    }

    private func look() throws -> Doctored { try Doctored(["--config", config]) }

    private func configure(_ text: String) throws { _ = try folder.file("greylock.toml", text) }

    private func greylock(_ arguments: String...) throws {
        let run = try Run("greylock", arguments)
        #expect(run.status == 0, "\(run.error)")
    }

    private func importMeters(_ file: String) throws {
        try greylock(
            "parameters",
            "import",
            file,
            "--config",
            config,
            "--name",
            "Li",
            "--second",
            "Wang",
            "--reason",
            "first"
        )
    }

    @Test("a configuration that is not there, or has a slip")
    func configuration() throws {
        let profile = Self.root.appendingPathComponent("board/profiles/raspberry-pi-4.toml").path
        let side = ["--grade", "92", "--price", "785", "--config", config]
        try provoke("configuration-missing", saw: config) {
            try look()
        } fault: {
            try folder.remove("greylock.toml")
        } mend: { finding in
            #expect(finding.mend.hasPrefix("greylock setup writes one"))
            let run = try Run("greylock", ["setup", "--demonstration", "--profile", profile] + side)
            #expect(run.status == 0, "\(run.error)")
        }
        try configure(text)
        try provoke("configuration-wrong", saw: ": journal.pathe: ") {
            try look()
        } fault: {
            try configure(text.replacing("journal = { path", with: "journal = { pathe"))
        } mend: { _ in
            try configure(text)
        }
    }

    @Test("what is for the bench alone")
    func bench() throws {
        let station = try CeremonyBench(holding: [.record, .purchaseMaster])
        let own = try String(contentsOfFile: station.config, encoding: .utf8)
        let pump = ServiceConfiguration.simulated(centilitres: 500, speed: 10)
        #expect(own.contains(pump))
        let lines = "chip = \"pinctrl-bcm2711\"\na = 17\nb = 27\nnozzle = 22\nmotor = 24\nmain_valve = 25"
        let real = own.replacing(pump, with: ServiceConfiguration.gpio(lines))
        try configure(real)
        for code in ["demonstration", "edges-virtual"] {
            try provoke(code) {
                try look()
            } fault: {
                try configure(text)
            } mend: { _ in
                try configure(real)
            }
        }
    }

    @Test("a journal of a newer version, no journal, an older copy of it")
    func journals() throws {
        func change(_ sql: String) throws {
            let connection = try Connection(journal)
            try connection.write { try $0.execute(sql) }
            connection.close()
        }
        try provoke("journal-newer", saw: "its migrations name 999") {
            try look()
        } fault: {
            try change("INSERT INTO grdb_migrations VALUES ('999')")
        } mend: { _ in
            try change("DELETE FROM grdb_migrations WHERE identifier = '999'")
        }
        let sound = try folder.bytes("journal")
        try provoke("journal-unreadable", saw: "not a database") {
            try look()
        } fault: {
            try folder.write("journal", Array("not a journal".utf8) + sound.dropFirst(13))
        } mend: { _ in
            try folder.write("journal", sound)
        }
        try provoke("journal-not-newest", saw: "an older copy") {
            try look()
        } fault: {
            try openJournal(journal).commit(JournalEntry(recordFields(.sale, .settled, number: 2).completed()))
            for name in ["journal-wal", "journal-shm"] { unsafe _ = unlink(folder.path(name)) }
            try folder.write("journal", sound)
        } mend: { finding in
            #expect(finding.mend.contains("greylock position --config \(config) --accept-journal REASON"))
            try greylock("position", "--config", config, "--accept-journal", "it is the newest")
        }
    }

    @Test("a journal without room, and one with little")
    func room() throws {
        let open = try openJournal(journal)
        for number in 2...49 {
            try open.commit(JournalEntry(recordFields(.sale, .settled, number: UInt32(number)).completed()))
        }
        let (roomy, tight) = (text.replacing("capacity = 64", with: "capacity = 1000"), text)
        try configure(roomy)
        try provoke("journal-full", saw: "room for 15 of 64") {
            try look()
        } fault: {
            try configure(tight)
        } mend: { finding in
            #expect(finding.mend.contains("raise [journal] capacity"))
            try configure(roomy)
        }
        try provoke("journal-filling", saw: "room for 45 of 1000") {
            try look()
        } fault: {
            for number in 50...955 {
                try open.commit(JournalEntry(recordFields(.sale, .settled, number: UInt32(number)).completed()))
            }
        } mend: { _ in
            try configure(roomy.replacing("capacity = 1000", with: "capacity = 100000"))
        }
    }

    @Test("a side that closed itself")
    func closed() throws {
        try provoke("side-closed-itself", saw: "11 pulser faults") {
            try look()
        } fault: {
            let since = try TransactionTime(secondsSince1970: 1_790_000_000)
            try openJournal(journal).commit(
                JournalEntry(lock: SideLock(side: 1, since: since, reason: "11 pulser faults"))
            )
        } mend: { _ in
            try greylock(
                "position",
                "--config",
                config,
                "--clear",
                "--name",
                "T. Nician",
                "--reason",
                "pulser mended"
            )
        }
    }

    @Test("a clock behind the latest record")
    func clock() throws {
        try provoke("clock-behind", saw: "the latest record is of 2094-") {
            try look()
        } fault: {
            var entry = try JournalEntry(recordFields(.sale, .settled, number: 2).completed())
            let seconds = 3_930_000_000
            entry.moment = StationTime(
                utcSeconds: Int64(seconds),
                local: try TransactionTime(secondsSince1970: seconds)
            )
            try openJournal(journal).commit(entry)
        } mend: { finding in
            #expect(finding.mend.contains("greylock position --config \(config) --accept-clock"))
            try greylock("position", "--config", config, "--accept-clock")
        }
    }

    @Test("parameters that are not there, or were altered")
    func parameters() throws {
        let book = "journal-parameters"
        let meter = try folder.file("meters.toml", ServiceConfiguration.meters)
        try provoke("parameters-missing", saw: folder.path(book)) {
            try look()
        } fault: {
            try folder.remove(book)
        } mend: { _ in
            try importMeters(meter)
        }
        let sound = try folder.bytes(book)
        try provoke("parameters-refused") {
            try look()
        } fault: {
            let text = String(decoding: try folder.bytes(book), as: UTF8.self)
            #expect(text.contains("pulses_per_litre 100"))
            try folder.write(book, Array(text.replacing("pulses_per_litre 100", with: "pulses_per_litre 101").utf8))
        } mend: { finding in
            #expect(finding.mend.contains("put the newest book in place"))
            try folder.write(book, sound)
        }
    }

    // MARK: - The service

    @Test("a service that stands still, and one whose side is out of order", .timeLimit(.minutes(5)))
    func service() throws {
        let socket = folder.path("read.sock")
        try configure(text + "\n[interface]\nread = \"\(socket)\"\n")
        let meter = try folder.file("meters.toml", ServiceConfiguration.meters)
        try folder.remove("journal-parameters")
        let service = try Program("greylock", ["run", "--config", config])
        #expect(service.wait(for: "no fuel: no parameters") != nil)
        let closed = try #require(try look()["side-out-of-order"])
        #expect(closed.position == 1)
        let code = try #require(closed.saw.firstMatch(of: /\((\S+)\)$/)?.output.1)
        #expect(closed.mend.contains("greylock explain \(code)"))
        try greylock("explain", String(code))
        try importMeters(meter)
        #expect(service.wait(for: "insert your card") != nil)
        let served = try look()
        #expect(served["side-out-of-order"] == nil)
        try provoke("service-silent", saw: "no answer in time") {
            try look()
        } fault: {
            service.signal(SIGSTOP)
        } mend: { _ in
            service.signal(SIGCONT)
        }
        service.signal(SIGTERM)
        #expect(service.end() == 0)
    }

    @Test("the folder of a socket")
    func socketFolder() throws {
        try configure(text + "\n[interface]\nread = \"\(folder.path("sockets/read.sock"))\"\n")
        let path = folder.path("sockets")
        unsafe _ = mkdir(path, 0o755)
        try provoke("socket-folder-missing", saw: path) {
            try look()
        } fault: {
            #expect(unsafe rmdir(path) == 0)
        } mend: { _ in
            try configure(text + "\n[interface]\nread = \"\(folder.path("read.sock"))\"\n")
        }
    }

    // MARK: - The table

    /// The article's rows are the program's.
    @Test("the article lists what the program finds, and each page is there")
    func article() throws {
        struct Row: Decodable, Equatable {
            let code: String
            let severity: String
            let meaning: String
            let mend: String
            let page: String
        }
        let list = try Run("greylock", ["doctor", "--list", "--json"])
        let rows = try JSONDecoder().decode([Row].self, from: Data(list.output.utf8))
        #expect(rows.count > 80 && Set(rows.map(\.code)).count == rows.count)
        let article = Self.root.appendingPathComponent("Sources/greylock/Documentation.docc/What-doctor-finds.md")
        let written = try String(contentsOf: article, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `") }
            .map { line in
                let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                return Row(
                    code: cells[0].trimmingCharacters(in: ["`"]),
                    severity: cells[1],
                    meaning: cells[2],
                    mend: cells[3],
                    page: cells[4]
                )
            }
        #expect(written == rows)
        let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        let sources = try FileManager.default.subpathsOfDirectory(
            atPath: Self.root.appendingPathComponent("Sources").path
        )
        for page in Set(rows.map(\.page)) {
            if let part = page.wholeMatch(of: /README.md, "(.*)"/) {
                #expect(readme.contains("## \(part.1)\n"), "\(page)")
            } else if page.hasSuffix(".md") {
                #expect(sources.contains { $0.hasSuffix(".docc/\(page)") }, "\(page)")
            } else if let command = page.wholeMatch(of: /man greylock-(.*)/) {
                let words = command.1.split(separator: "-").map(String.init)
                #expect(try Run("greylock", words + ["--help"]).status == 0, "\(page)")
            } else {
                #expect(["man greylockd", "greylock.toml of the examples"].contains(page))
            }
        }
    }
}
