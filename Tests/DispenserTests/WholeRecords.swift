import CardApplication
import CardCryptography
import Dispenser
import FuelPassbook
import ISO7816
import Issuer
import Metering
import Quantities
import Records
import Simulation
import Testing

/// A board's clock that a technician, or a flat battery, sets: days pass, unlike the site's.
final class TestClock: StationClock {
    private let site: VirtualSite
    /// Ahead of the first of June 2026 and what has passed since; nil when the clock is not set.
    var aheadSeconds: Int? = 0
    /// By how much its zone is ahead of the first one.
    var zoneSeconds = 0

    init(_ site: VirtualSite) { self.site = site }

    var monotonicNanoseconds: UInt64 { site.monotonicNanoseconds }

    var now: StationTime? {
        guard let aheadSeconds else { return nil }
        let passed = Int(monotonicNanoseconds / 1_000_000_000) + aheadSeconds
        return StationTime(utcSeconds: 1_780_272_000 + Int64(passed), local: local(passed + zoneSeconds))
    }

    private func local(_ seconds: Int) -> TransactionTime {
        let days = seconds / 86_400
        precondition(seconds >= 0, "before the first of June 2026")
        do {
            // Months of 28 days are enough for a clock that only has to go forward.
            return try TransactionTime(
                date: CalendarDate(year: 2026 + days / 196, month: 6 + days % 196 / 28, day: 1 + days % 28),
                hour: seconds / 3_600 % 24,
                minute: seconds / 60 % 60,
                second: seconds % 60
            )
        } catch {
            preconditionFailure("a day that every calendar has: \(error)")
        }
    }
}

extension TestReader {
    /// The issuer's desk, steps 2.1 to 2.10: the grey card pays `amount` there and is free.
    func releaseOnline(_ amount: Amount, time: TransactionTime) throws {
        var keys = IssuerKeys()
        keys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        let issuer = Issuer(keys: keys)
        let asn = image.file.asn
        try visitElsewhere { send in
            func exchange<Command: PassbookCommand>(_ command: Command) throws -> Command.Response {
                let answer = send(command.apdu.bytes.span)
                try #require(answer.status == .success)
                return try Command.Response(parsing: answer.data)
            }
            _ = send(SelectApplication(aid: Demonstration.aid).apdu.bytes.span)
            _ = Demonstration.pin.withVerifyCommand { send($0) }
            let command = InitializeForUnlock(keyIndex: Demonstration.keyIndex, terminal: Demonstration.terminal)
            let authenticated = try issuer.verifyMAC1(card: asn, command: command, answer: try exchange(command))
            let authorised = try authenticated.makeMAC2(amount: amount, time: time)
            let answer = try exchange(authorised.command)
            _ = try authorised.verify(answer.mac3)
        }
    }
}

extension TestStation {
    /// Since when the station is kept: its counts and the card's money are accounted for from there.
    var recordedCounts: Int { records.reduce(0) { $0 + $1.reading.counts.reduce(0, +) } }

    /// What the records say the card paid here.
    var paid: Int {
        records.filter { $0.phase == .settled && [.sale, .localUnlock, .prepaid].contains($0.kind) }
            .reduce(0) { $0 + Int($1.amount.fen) }
    }

    /// The numbers rise, each on one record, and none is open but those that wait for a card. The totaliser is the sum
    /// of the records, in counts, volume and money.
    func expectWhole(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        let numbers = records.map(\.number.value)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, comment, sourceLocation: sourceLocation)
        let greyNumbers = greyRecords.filter { $0.state == .open }.map(\.number)
        for record in records where record.phase.isOpen {
            let waits =
                switch (record.kind, record.phase) {
                case (.localUnlock, .debitSent): record.settles.map { greyNumbers.contains($0) } == true
                case (.prepaid, .torn): true
                case _: false
                }
            #expect(waits, "record \(record.number.value) is open", sourceLocation: sourceLocation)
        }
        guard let totaliser = journal.store.totalisers[1] else { return }
        #expect(totaliser.counts == [recordedCounts], comment, sourceLocation: sourceLocation)
        let volume = records.map(\.reading.volume).reduce(.zero, +)
        #expect(totaliser.volume == volume, comment, sourceLocation: sourceLocation)
        #expect(volume == settings.calibration.volume(of: totaliser.counts), comment, sourceLocation: sourceLocation)
        let fen = records.reduce(0) { $0 + Int($1.price.fen) }
        #expect(totaliser.fen == fen, comment, sourceLocation: sourceLocation)
    }

    /// The card comes at `seconds`, and stays until a sale without flow has released it.
    func visit(at seconds: Double, for stay: Double = 40) {
        site.after(seconds) { [reader] _ in reader.insert() }
        site.after(seconds + stay) { [reader] _ in reader.pull() }
    }

    func stop(at seconds: Double) { site.after(seconds) { $0.post(.stopRequested) } }

    /// A refuel of which the card is pulled when `centilitres` are shown; it does not come back.
    func escape(at centilitres: Int) {
        var isPulled = false
        display.onProgress = { [unowned self] shown in
            guard shown >= centilitres, !isPulled else { return }
            isPulled = true
            reader.pull()
        }
        scheduleRefuel(centilitres: 5_000)
        run()
        display.onProgress = { _ in }
        rest()
    }

    /// The service has ended, however it did: the world tidies up.
    func rest() {
        reader.pull()
        site.setNozzle(lifted: false)
        clearAgenda()
    }
}
