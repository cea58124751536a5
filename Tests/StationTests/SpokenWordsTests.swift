import Dispenser
import FuelPassbook
import ISO7816
import Logging
import Metering
import Station
import Synchronization
import Testing

@Suite("The log's words")
struct SpokenWordsTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        var log: Logger {
            Logger(label: "test") { _ in LineLogHandler { line in self.all.withLock { $0.append(line) } } }
        }
        func count(_ text: String) -> Int { all.withLock { $0.count { $0.contains(text) } } }
    }

    @Test("an event that comes twice is said twice, how things are is said once")
    func repeated() {
        let lines = Lines()
        let display = LogDisplay(log: lines.log)
        for _ in 0..<3 {
            display.show(.calling, .refused(.pinMalformed(.noDigit)))
            display.show(.idle, .cardFault(.removed))
        }
        for _ in 0..<3 { display.show(.idle, .cardFault(.removed)) }
        for _ in 0..<3 { display.show(.idle, .insertCard) }
        for _ in 0..<3 { display.show(.closed, .refused(.clockNotSet)) }
        #expect(lines.count("only digits") == 3)
        #expect(lines.count("removed") == 6)
        #expect(lines.count("insert your card") == 1)
        #expect(lines.count("clock is not set") == 1)
    }

    @Test("of a card's number the last four digits are shown")
    func masked() throws {
        #expect(Demonstration.applicationFile.asn.masked == "****0042")
    }
}
