package import Dispenser
import FuelPassbook
import ISO7816
import PulseSignals
package import Quantities

/// One thing that happens at a station or to its cards: a pure value, so that a run can be played again with less.
package struct CustomerVisit: Equatable, Sendable {
    package enum Errand: Equatable, Sendable {
        /// Takes fuel here, at most `counts` of the pulser.
        case refuel(counts: Int)
        /// Pays for something elsewhere by an ordinary purchase.
        case shop(Amount)
        /// Takes fuel at another station, and leaves that unpaid when `escapes`.
        case otherStation(Amount, escapes: Bool)
        /// The issuer's counter: a grey card is released, an empty one loaded.
        case counter
        /// The service is started anew with another way to pay, or another calibration.
        case reconfigure(PaymentMode, factorsMillionths: [Int])
        /// A technician sets the clock, empties the disk and opens a side that closed itself.
        case technician
        case night(hours: Int)
        /// The board's clock jumps by so many seconds.
        case clockJump(seconds: Int)
        /// Local time is so many seconds from UTC from now on.
        case zoneChange(seconds: Int)
        /// The valve leaks.
        case leak(counts: Int)
        /// The attacker, with the right PIN, asks his card what the station will ask it, and what it has asked.
        case askAhead
        /// The attacker's card gets what his shim kept from it: a debit with its own time, or so many seconds ahead of now.
        case giveKeptCommands(debitAhead: Int?)
        /// The attacker refuels at another station for what a prepaid sale costs here, under the number that comes next here.
        case collectCode
        /// The attacker tries `tries` codes on his card, and takes its power away at write `cutAtWrite` of each.
        case guess(GuessedCode, tries: Int, cutAtWrite: Int)
        /// A terminal that got the grey record of this station settles the card from it.
        case settleElsewhere
        /// Takes fuel at another station and leaves that unpaid, and this one gets the grey record of it.
        case carriedRecord(Amount)
        /// The service is started anew with another terminal id, the `number`-th.
        case renumber(Int)
        /// Somebody copies the journal.
        case copyJournal
        /// The last copy is put in the journal's place; the service refuses it until a technician accepts it.
        case putJournalBack
        /// The service is started anew, and the row of the totals has rotted meanwhile.
        case rotTotals
        /// With the service stopped, a technician delivers so many counts at the first side, and gives them back to the tank.
        case test(counts: Int)
        /// The same with a prover, when the meter's true factor has moved by `wear` millionths; the side gets the factor that is found.
        case calibrate(counts: Int, wear: Int)
    }

    /// What an attacker tries on his card.
    package enum GuessedCode: Equatable, Sendable {
        case pin
        case gmac
    }

    /// What happens while the card is still served at another side.
    package enum Meanwhile: Sendable {
        /// He comes when that is over.
        case waits
        /// He takes it from there.
        case moves
        /// It answers at both: the attacker passes on what is said to it, or has made another of it.
        case clones
    }

    package var card: Int
    package var errand: Errand
    /// Wrong PINs before the right one.
    package var pinsWrong = 0
    /// Never takes the nozzle.
    package var isUndecided = false
    /// Takes the card when the mains go, and does not wait.
    package var leavesInOutage = false
    package var meanwhile = Meanwhile.waits
    package var faults: [PlannedFault] = []
    /// What the side's pulser does from this visit on, until a technician mends it or it does something else.
    package var lie: PulserLie?

    package init(card: Int, errand: Errand) {
        self.card = card
        self.errand = errand
    }
}

extension CustomerVisit {
    /// To the pump, and nothing is to go wrong.
    var isSmooth: Bool {
        fuelCounts > 0 && faults.allSatisfy(\.isHarmless) && pinsWrong == 0 && lie == nil
    }

    /// What the customer wants here, in counts.
    var fuelCounts: Int {
        switch errand {
        case .refuel(let counts): counts
        case .shop, .otherStation, .counter, .reconfigure, .technician, .night, .clockJump, .zoneChange, .leak,
            .askAhead,
            .giveKeptCommands, .collectCode, .guess, .settleElsewhere, .carriedRecord, .renumber, .copyJournal,
            .putJournalBack, .rotTotals, .test, .calibrate:
            0
        }
    }
}

extension CustomerVisit.Errand {
    /// No side sells meanwhile.
    var isOfStation: Bool {
        switch self {
        case .reconfigure, .technician, .night, .clockJump, .zoneChange, .renumber, .copyJournal, .putJournalBack,
            .rotTotals, .test, .calibrate:
            true
        case .refuel, .shop, .otherStation, .counter, .leak, .askAhead, .giveKeptCommands, .collectCode, .guess,
            .settleElsewhere, .carriedRecord:
            false
        }
    }
}

extension CustomerVisit.Errand {
    /// A technician delivers.
    var isTest: Bool {
        switch self {
        case .test, .calibrate: true
        case _: false
        }
    }
}

extension CustomerVisit {
    /// What sets everything right at the end: the technician, time for the clock, then every card here, at the issuer's
    /// counter and here again, and nothing goes wrong.
    static func repairs(cards: Int) -> [CustomerVisit] {
        let station: [Errand] = [
            .technician, .night(hours: 3), .reconfigure(.greyLock, factorsMillionths: [1_000_000]),
        ]
        return station.map { CustomerVisit(card: 0, errand: $0) }
            + (0..<cards).flatMap { card in
                [Errand.refuel(counts: 10), .counter, .refuel(counts: 10)].map {
                    CustomerVisit(card: card, errand: $0)
                }
            }
    }
}

extension CustomerVisit: CustomStringConvertible {
    package var description: String {
        var words = ["card \(card): \(errand)"]
        if pinsWrong > 0 { words.append("\(pinsWrong) wrong PINs") }
        if isUndecided { words.append("never takes the nozzle") }
        switch meanwhile {
        case .waits: break
        case .moves: words.append("leaves another side for it")
        case .clones: words.append("with a card that is at another side too")
        }
        if leavesInOutage { words.append("leaves in an outage") }
        if let lie {
            words.append("its pulser lies: \(lie.kind.rawValue) at \(lie.edgesPerSecond) edges/s, seed \(lie.seed)")
        }
        return (words + faults.map(\.description)).joined(separator: "; ")
    }
}

extension CustomerVisit.Errand: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refuel(let counts): "refuels, \(counts) counts"
        case .shop(let amount): "pays \(amount) in a shop"
        case .otherStation(let amount, let escapes): "refuels elsewhere for \(amount)\(escapes ? ", and escapes" : "")"
        case .counter: "goes to the issuer's counter"
        case .reconfigure(.greyLock, let factors): "new settings: grey lock, factors \(factors)"
        case .reconfigure(.prepaid, let factors): "new settings: prepaid, factors \(factors)"
        case .technician: "a technician sets everything right"
        case .night(let hours): "\(hours) hours pass"
        case .clockJump(let seconds): "the clock jumps by \(seconds) s"
        case .zoneChange(let seconds): "local time is \(seconds) s from UTC"
        case .leak(let counts): "the valve leaks \(counts) counts"
        case .askAhead: "asks the card ahead"
        case .giveKeptCommands(nil): "gives the card what the shim kept from it"
        case .giveKeptCommands(let ahead?): "gives the card what the shim kept from it, debits \(ahead) s ahead"
        case .collectCode: "collects a GMAC at another station"
        case .guess(.pin, let tries, let write): "tries \(tries) PINs, cut at write \(write)"
        case .guess(.gmac, let tries, let write): "tries \(tries) GMACs, cut at write \(write)"
        case .settleElsewhere: "is settled at another station from this one's grey record"
        case .carriedRecord(let amount): "escapes elsewhere with \(amount) unpaid, and its grey record comes here"
        case .renumber(let number): "new terminal id \(number)"
        case .copyJournal: "the journal is copied"
        case .putJournalBack: "the copy is put in the journal's place"
        case .rotTotals: "the row of the totals rots"
        case .test(let counts): "a technician delivers \(counts) counts that go back"
        case .calibrate(let counts, let wear): "a technician calibrates with \(counts) counts, factor moved by \(wear)"
        }
    }
}
