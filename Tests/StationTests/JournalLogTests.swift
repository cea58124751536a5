import Codes
import Console
import Dispenser
import Logging
import Metering
import Parameters
import Quantities
import Station
import Synchronization
import TestFolders
import TestPrograms
import Testing

@Suite("The log in journald")
struct JournalLogTests {
    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        var written: [String] { all.withLock { $0 } }
        func log(_ journal: JournalSocket?) -> Logger {
            Logger(label: "greylockd") { label in
                LineLogHandler(label: label, journal: journal) { line in self.all.withLock { $0.append(line) } }
            }
        }
    }

    @Test("a refused sale is one entry with its code, the side and the message's id")
    func refusal() throws {
        let folder = try TestFolder()
        let journal = try JournalStandIn(folder.path("socket"))
        let lines = Lines()
        let display = LogDisplay(log: lines.log(JournalSocket(folder.path("socket"))).naming(2))
        display.show(.calling, .refused(.pinWrong(triesLeft: 2)))
        let fields = Dictionary(uniqueKeysWithValues: try #require(journal.next()).map { ($0.name, $0.value) })
        #expect(
            fields == [
                "MESSAGE": "wrong PIN, 2 tries left position=2 state=calling [pin-wrong]", "PRIORITY": "5",
                "SYSLOG_IDENTIFIER": "greylockd", "MESSAGE_ID": "a182629f21a55bfca14deef2f2e28f9e",
                "GREYLOCK_CODE": "pin-wrong", "GREYLOCK_POSITION": "2", "GREYLOCK_STATE": "calling",
            ]
        )
        #expect(lines.written.isEmpty)
    }

    @Test("what lies behind a refusal stands beside its code")
    func cause() throws {
        let folder = try TestFolder()
        let journal = try JournalStandIn(folder.path("socket"))
        LogDisplay(log: Lines().log(JournalSocket(folder.path("socket"))))
            .show(.inoperative, .parametersRefused(.older(version: 1, known: 2)))
        let fields = try #require(journal.next())
        #expect(fields.first { $0.name == "GREYLOCK_CODE" }?.value == "parameters-refused")
        #expect(fields.first { $0.name == "GREYLOCK_CAUSE" }?.value == "parameters-older")
        #expect(
            fields.first { $0.name == "MESSAGE" }?.value.hasSuffix("[parameters-refused, parameters-older]") == true
        )
    }

    @Test("a message of several lines stays one entry, and control characters become harmless")
    func severalLines() throws {
        let folder = try TestFolder()
        let journal = try JournalStandIn(folder.path("socket"))
        Lines().log(JournalSocket(folder.path("socket"))).error(.service(.journalFailed), "one\ntwo\u{1B}[31m")
        let message = try #require(journal.next()?.first { $0.name == "MESSAGE" }?.value)
        #expect(message.hasPrefix("one\ntwo") && message.hasSuffix(" [journal-failed]"))
        #expect(!message.contains("\u{1B}"))
    }

    @Test("what journald does not take is a line")
    func fallback() throws {
        let folder = try TestFolder()
        let lines = Lines()
        let log = lines.log(JournalSocket(folder.path("socket"))).naming(1)
        log.notice(.service(.ready), "ready")
        #expect(lines.written.first?.hasSuffix("ready position=1 [ready]") == true)
        let journal = try JournalStandIn(folder.path("socket"))
        log.notice(.service(.ready), "ready")
        #expect(lines.written.count == 1 && journal.next() != nil)
    }

    @Test(
        "each kind of a pulser's fault is explained under the name that lists have for it",
        arguments: PulserFaultKind.allCases
    )
    func pulserFaults(kind: PulserFaultKind) { #expect(kind.code.rawValue == kind.rawValue) }
}
