import Foundation
import FuelPassbook
import TestFolders
import TestPrograms
import Testing

@Suite("The support archive")
struct SupportReportTests {
    /// All that must not leave the board, each in every form in which it might.
    private enum Secrets {
        static let card = "00010000000012345678"
        static let pin = "73194628"
        static let key: [UInt8] = [
            0x3A, 0x91, 0xC4, 0x07, 0x5E, 0xF2, 0x68, 0xBD, 0x11, 0x8F, 0xD6, 0x29, 0x73, 0xEA, 0x40, 0x9C,
        ]

        static var all: [String] {
            let cardBytes = stride(from: 0, to: card.count, by: 2).compactMap {
                UInt8(card.dropFirst($0).prefix(2), radix: 16)
            }
            let groups = stride(from: 0, to: card.count, by: 4).map { String(card.dropFirst($0).prefix(4)) }
            return [card, groups.joined(separator: " "), groups.joined(separator: "-"), pin]
                + forms(cardBytes) + forms(key) + forms(Array(pin.utf8))
        }

        private static func forms(_ bytes: [UInt8]) -> [String] {
            let pairs = bytes.map { String(format: "%02x", $0) }
            return [
                pairs.joined(), pairs.joined().uppercased(), pairs.joined(separator: " "), pairs.joined(separator: ":"),
                bytes.map { "\($0)" }.joined(separator: ", "), Data(bytes).base64EncodedString(),
            ]
        }
    }

    private let folder: TestFolder
    private let config: String
    private let journal: String

    init() throws {
        folder = try TestFolder()
        journal = folder.path("journal")
        let text = toolConfiguration(journal: journal)
            .replacing("\ncard = {  }", with: "\ncard = { blacklist = [\"\(Secrets.card)\"] }")
        config = try folder.file(
            "greylock.toml",
            "# the PIN is \(Secrets.pin)\n\(text)# \(Secrets.all.joined(separator: "\n# "))\n"
        )
        try makeJournal(journal)
        try folder.write("storage-key", Secrets.key + Secrets.key)
        _ = try folder.file(Secrets.card, Secrets.pin)
        try program("journalctl", printing: loggedText)
        try program("systemctl", printing: "ActiveState=failed\nStatusText=PIN \(Secrets.pin), card \(Secrets.card)\n")
        try program("timedatectl", printing: "Timezone=\(Secrets.all.joined(separator: " "))\n")
        try program("dpkg-query", printing: "systemd 257.8-1~deb13u2 installed\n")
    }

    /// As `journalctl --output json` prints them, a line of bytes too.
    private var loggedText: String {
        let lines =
            Secrets.all.map { "a careless line with \($0) in it" } + ["wrong PIN, 2 tries left position=1 [pin-wrong]"]
        let bytes = Array("\u{1} \(Secrets.card)".utf8).map { "\($0)" }.joined(separator: ",")
        return lines.map { line in
            #"{"__REALTIME_TIMESTAMP":"1764239105000000","PRIORITY":"4","SYSLOG_IDENTIFIER":"greylockd","MESSAGE":"\#(line)"}"#
        }.joined(separator: "\n") + "\n{\"MESSAGE\":[\(bytes)]}\nno entry \(Secrets.card)\n"
    }

    private func program(_ name: String, printing text: String) throws {
        try FileManager.default.createDirectory(atPath: folder.path("programs"), withIntermediateDirectories: true)
        _ = try folder.file("programs/\(name).txt", text)
        let path = try folder.file("programs/\(name)", "#!/bin/sh\nexec cat \"$0.txt\"\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    private func report(_ arguments: String, before: String = ":") throws -> Run {
        try Run(
            script:
                "\(before); cd \"$1\"; PATH=\"$1/programs:$PATH\" \"$BIN/greylock\" report --config \"$2\" \(arguments)",
            [folder.url.path, config]
        )
    }

    private func contents(_ archive: String) throws -> String {
        let run = try Run(script: "tar -xzOf \"$1\"; tar -tzf \"$1\"", [folder.path(archive)])
        #expect(run.status == 0, "\(run.error)")
        return run.output
    }

    @Test("no card number, PIN or key is in it, though files, log and state have them in every form")
    func secrets() throws {
        for secret in Secrets.all { #expect(loggedText.contains(secret)) }
        let run = try report("--into archive")
        #expect(run.status == 0, "\(run.error)")
        let text = try contents("archive")
        for secret in Secrets.all {
            for said in [text, run.output, run.error] {
                #expect(!said.lowercased().contains(secret.lowercased()), "\(secret)")
            }
        }
        #expect(!text.contains("\(Demonstration.applicationFile.asn)"))
    }

    @Test("what helps is in it")
    func helpful() throws {
        let run = try report("--into archive")
        #expect(run.status == 0 && run.output.contains("look into it"), "\(run.error)")
        let text = try contents("archive")
        for part in [
            "greylock 0.", "ActiveState=failed", "systemd 257.8-1~deb13u2",
            "2025-11-27 10:25:05 UTC 4 greylockd: wrong PIN",
            "[pin-wrong]", "records: 1", "sale, settled: 1", "record 1, position 1, sale, settled", "card ****0042",
            "card.blacklist: 1 of them: \"****5678\"", "journal.capacity = 64", "side.1.card.kind = \"virtual\"",
            "MiB free",
            "CONTENTS.txt", "log.txt", "records.txt", "the configuration names no socket",
        ] { #expect(text.contains(part), "\(part)") }
    }

    @Test("what doctor finds is in it, faults too")
    func doctor() throws {
        try folder.remove("journal-parameters")
        let found = try Run("greylock", ["doctor", "--config", config])
        #expect(found.status == 2 && found.output.contains("FAULT parameters-missing"), "\(found.output)")
        #expect(try report("--into archive").status == 0)
        let text = try contents("archive")
        #expect(
            text.contains("FAULT parameters-missing") && text.contains("  mend  ")
                && !text.contains("doctor ended with"),
            "\(text)"
        )
    }

    @Test("a file that is there is left as it is")
    func there() throws {
        _ = try folder.file("archive", "mine")
        let run = try report("--into archive")
        #expect(run.status == 74 && run.error.contains("archive is there already"), "\(run.error)")
        #expect(try folder.bytes("archive") == Array("mine".utf8))
    }

    @Test("without room there is a word and no half file")
    func full() throws {
        let run = try report("--into archive", before: "ulimit -f 1")
        #expect(run.status == 74 && run.error.contains("File too large"), "\(run.status): \(run.error)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("archive")))
        let device = try report("--into /no/such/folder/archive")
        #expect(device.status == 74 && device.error.contains("/no/such/folder/archive"), "\(device.error)")
        let temporary = try report("--into archive", before: "export TMPDIR=/no/such/folder")
        #expect(temporary.status == 74 && temporary.error.contains("/no/such/folder"), "\(temporary.error)")
    }

    @Test("a configuration that is wrong is in it all the same, and says what is wrong")
    func wrong() throws {
        _ = try folder.file(
            "greylock.toml",
            "demonstration = true\npin = \(Secrets.pin)\nkey = \"\(Secrets.all[0])\"\n"
        )
        #expect(try report("--into archive").status == 0)
        let text = try contents("archive")
        #expect(text.contains("pin = (unknown, not shown)") && text.contains("demonstration = true"))
        #expect(text.contains(":2: pin: ") && !text.contains(Secrets.pin))
        _ = try folder.file("greylock.toml", "demonstration = \n[\(Secrets.card)")
        #expect(try report("--into other").status == 0)
        #expect(try !contents("other").contains(Secrets.card))
        try folder.remove("greylock.toml")
        #expect(try report("--into third").status == 0)
        #expect(try contents("third").contains("No such file or directory"))
    }

    @Test("what does not answer, fails or is missing is named, and the rest is there")
    func dead() throws {
        _ = try folder.file("programs/journalctl", "#!/bin/sh\necho 'no journal for you' >&2\nexit 3\n")
        try folder.remove("journal")
        let run = try report("--into archive")
        #expect(run.status == 0 && run.error.contains("no journal for you"), "\(run.error)")
        let text = try contents("archive")
        #expect(text.contains("not to be had: journalctl --unit ended with 3: no journal for you"))
        #expect(text.contains("log.txt: 0 lines, not whole") && text.contains("ActiveState=failed"))
    }
}
