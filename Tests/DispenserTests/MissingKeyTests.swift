import Dispenser
import FuelPassbook
import Quantities
import Records
import SecurityModule
import Testing

/// Records outlive the master key of their cards (decision 0042), and come from terminals that have others.
@Suite("A grey record whose card's master key is not loaded")
struct MissingKeyTests {
    @Test("sends no debit, because nobody could tell that its card has paid, and is paid when the key is back")
    func noDebit() throws {
        let station = try TestStation()
        station.escape(at: 300)
        let escape = try #require(station.records.first)
        let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        station.keys = .lockedMemory(MasterKeys())
        station.visitAndStop()
        #expect(!station.log.entries.contains("DEBIT FOR PETROL"))
        #expect(station.display.refusals.last == .module(.keyNotLoaded(reference)))
        station.expectOwed(escape.amount)
        station.keys = .demonstration
        station.expectHonestVisitPays(escape.amount)
    }
}
