import TestPrograms
import Testing

@Suite(.serialized)
struct CardStatusTests {
    @Test(.enabled(if: CardDaemon.isUsable, Comment(rawValue: CardDaemon.reasonToSkip)))
    func statusSaysWhatIsMissingAndWhatIsThere() throws {
        let daemon = try CardDaemon(port: CardDaemon.freePorts())
        defer { daemon.stop() }
        let empty = try Said(["status"], errors: true)
        #expect(empty.status == 69 && empty.text.contains("no card in the reader \"Virtual PCD 00 00\""))
        let missing = try Said(["status", "--reader", "none of this name"], errors: true)
        #expect(missing.status == 69 && missing.text.contains("Virtual PCD 00 01"))

        let made = try MadeCard()
        let served = try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)", "--state", made.state])
        #expect(served.wait(for: "is in the reader") != nil)
        let present = try status { $0.status != 69 }
        #expect(present.status == 0 && present.text.contains("00010000000000000043, customer card"), "\(present.text)")
        let foreign = try Said(["status", "--aid", "A000000333"])
        #expect(foreign.status == 1 && foreign.text.contains("foreign: has no application A000000333 (6A82)"))
        served.signal(15)
        #expect(served.end() == 0)
    }

    /// pcscd takes a moment to notice a card; each look at it takes one too.
    private func status(until isDone: (Said) -> Bool) throws -> Said {
        for _ in 0..<100 {
            let said = try Said(["status"])
            if isDone(said) { return said }
        }
        return try Said(["status"])
    }
}
