import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import Quantities
import Records
import SecurityModule
import Synchronization
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

    private var retired: KeyHolder {
        var keys = MasterKeys()
        keys.load(
            MasterKey.purchase.demonstration,
            as: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            sells: false
        )
        return .lockedMemory(keys)
    }

    /// Custodians change the keys once fuel has flowed.
    private func refuel(_ change: @escaping (TestStation) -> Void) throws -> TestStation {
        let station = try TestStation()
        station.display.onNotice = { [unowned station] notice in if notice == .settling { change(station) } }
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        station.display.onNotice = { _ in }
        return station
    }

    @Test("a sale that has begun is paid when its key is retired meanwhile")
    func retiredMeanwhile() throws {
        let station = try refuel { [retired] in $0.keys = retired }
        #expect(station.records.map(\.phase) == [.settled])
        #expect(station.reader.image.balance.fen == 50_000 - 3_925)
        #expect(station.greyRecords.isEmpty)
    }

    @Test("a sale that has begun is not debited when its key is erased meanwhile, and is paid when the key is back")
    func erasedMeanwhile() throws {
        let station = try refuel { $0.keys = .lockedMemory(MasterKeys()) }
        #expect(!station.log.entries.contains("DEBIT FOR PETROL"))
        station.expectOwed(Amount(fen: 3_925))
        station.keys = .demonstration
        station.expectHonestVisitPays(Amount(fen: 3_925))
    }

    @Test("a prepaid sale whose key is erased once its card is locked leaves its card a grey record, without a restart")
    func erasedBeforePaying() throws {
        let station = try prepaidStation(Preset(centilitres: 500))
        let shim = Shim(station)
        shim.plan = { [unowned station] command, _ in
            if command.is(.lockForPetrol) { station.keys = .lockedMemory(MasterKeys()) }
            return nil
        }
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        #expect(!station.log.entries.contains("DEBIT FOR PETROL"))
        #expect(station.records.map(\.phase) == [.escaped])
        station.expectOwed(Amount(fen: 3_925))
    }

    // MARK: - A token

    /// Holds the demonstration's key, until it is gone.
    private final class Token: Sendable {
        private let left: Mutex<Int>

        /// - Parameter asked: so many times it answers.
        init(asked: Int = .max) { left = Mutex(asked) }

        func isGone(_ isGone: Bool) { left.withLock { $0 = isGone ? 0 : .max } }

        var keys: KeyHolder {
            let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
            return .token(
                TokenKeys([reference: true]) { [self] (blocks, _) throws(HolderFault) in
                    let isGone = left.withLock { left in
                        guard left > 0 else { return true }
                        left -= 1
                        return false
                    }
                    guard !isGone else { throw HolderFault("token greylock is not there") }
                    let master = DoubleLengthKey(MasterKey.purchase.demonstration)
                    var raw = master.encrypted(Array(blocks.prefix(8))) + master.encrypted(Array(blocks.suffix(8)))
                    return LockedBuffer(wiping: &raw)
                }
            )
        }
    }

    private func expectWords(_ station: TestStation) {
        guard case .module(.holderFails(_, "token greylock is not there")) = station.display.refusals.last else {
            Issue.record("\(station.display.refusals)")
            return
        }
    }

    @Test("a token that is gone before MAC1 refuses the card in words, and sells to it when it is back")
    func tokenGoneBefore() throws {
        let station = try TestStation()
        let token = Token()
        station.keys = token.keys
        token.isGone(true)
        station.visitAndStop()
        expectWords(station)
        #expect(!station.log.entries.contains("LOCK FOR PETROL") && station.reader.image.balance.fen == 50_000)
        token.isGone(false)
        station.scheduleRefuel(centilitres: 500)
        #expect(station.run() == nil)
        #expect(station.records.map(\.phase).last == .settled)
    }

    @Test("a token that is gone while fuel flows ends no sale: it is not debited, and paid when the token is back")
    func tokenGoneMeanwhile() throws {
        let token = Token()
        let station = try refuel { station in
            station.keys = token.keys
            token.isGone(true)
        }
        #expect(!station.log.entries.contains("DEBIT FOR PETROL"))
        #expect(station.records.map(\.phase) == [.escaped])
        station.expectOwed(Amount(fen: 3_925))
        token.isGone(false)
        station.expectHonestVisitPays(Amount(fen: 3_925))
    }

    /// It answers that it is there, and is gone when the card's answer is judged.
    @Test("a token that is gone while the card is debited leaves a record that the card proves paid when it is back")
    func tokenGoneAtDebit() throws {
        let token = Token()
        let station = try refuel { station in station.keys = Token(asked: 1).keys }
        #expect(station.log.entries.contains("DEBIT FOR PETROL"))
        #expect(station.records.map(\.phase) == [.escaped])
        #expect(station.reader.image.balance.fen == 50_000 - 3_925)
        station.keys = token.keys
        station.visitAndStop()
        #expect(station.records.first?.phase == .settled)
        #expect(station.reader.image.balance.fen == 50_000 - 3_925)
    }

    @Test("a retired key settles what it sold, and sells no more")
    func settlesWhatItSold() throws {
        let station = try TestStation()
        station.escape(at: 300)
        let escape = try #require(station.records.first)
        station.keys = retired
        station.expectHonestVisitPays(escape.amount)
    }
}
