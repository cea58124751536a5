import ArgumentParser
import CardCryptography
import CardWorkshop
import Console
import Counter
import FuelPassbook
import ISO7816
import Issuer
import Quantities
import SecurityModule
import Station
import Threads
import Words

struct CounterTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counter",
        abstract: "The issuer's counter: money onto cards and off them, grey cards released, PINs.",
        subcommands: [
            CounterNew.self, CounterUnlock.self, CounterLoad.self, CounterUnload.self, CounterPIN.self,
            CounterJudge.self, CounterList.self, CounterClose.self,
        ]
    )

    static let exitStatus = """
        Exit status: 0; 1 when the card or its holder refuses, and nothing was changed; 65 for a file or an amount that is refused; \
        69 without a terminal, reader or card, or with a clock that is not set; 74 when the store or the book cannot be read or \
        written; 75 when the card's answer is lost: give the command again with the same card. \(ExitStatusHelp.common)
        """
}

/// The issuer's store and the counter's book.
struct CounterFiles: ParsableArguments {
    @Option(help: ArgumentHelp("The counter's book, which greylock counter new began.", valueName: "FILE"))
    var book: String

    @Option(
        help: ArgumentHelp("The issuer's key store; once for each that cards are of.", valueName: "FILE")
    )
    var store: [String]

    func validate() throws {
        guard !store.isEmpty else { throw ValidationError("give the issuer's key store with --store FILE") }
    }

    /// Asks for the passphrase of each store, and takes the book.
    func open() throws(ServiceFailure) -> OpenCounter {
        let reference = try stopped { () throws(CounterStop) in try CounterBook.keyReference(book) }
        var keys = IssuerKeys()
        var masters = MasterKeys()
        var references: [KeyReference] = []
        var opened: CounterBook?
        for path in store {
            let store = try KeyStoreFile.open(path)
            for set in store.versions {
                let own = set.reference
                guard !references.contains(own) else {
                    throw ServiceFailure(
                        exitStatus: ServiceFailure.inputOutput,
                        reason: """
                            \(path) has index \(own.index.number), version \(own.version.number), which is in another store too: \
                            name one of them
                            """
                    )
                }
                guard references.count < IssuerKeys.keysMax else {
                    throw ServiceFailure(
                        exitStatus: ServiceFailure.inputOutput,
                        reason: "the stores have more than the \(IssuerKeys.keysMax) versions of a counter: name fewer"
                    )
                }
                masters.load(set.purchaseMaster(), as: own)
                references.append(own)
                keys.load(set.schemeKeys(), index: own.index, version: own.version)
            }
            if store.bookReference == reference {
                let key = store.bookKey()
                opened = try stopped { () throws(CounterStop) in try CounterBook(book, key: key) }
            }
        }
        guard let opened else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: """
                    \(book) is coded under the key of the store that began with index \(reference.index.number), version \
                    \(reference.version.number): name that store too with --store
                    """
            )
        }
        return OpenCounter(
            book: opened,
            side: CounterVisit.Side(
                issuer: Issuer(keys: keys),
                references: references,
                random: SystemRandom()
            ),
            holder: .lockedMemory(masters)
        )
    }
}

struct OpenCounter {
    let book: CounterBook
    let side: CounterVisit.Side
    let holder: KeyHolder

    /// - Throws: also for a clock that cannot be right.
    func now() throws(ServiceFailure) -> TransactionTime {
        let advice: String
        switch SystemClock().localTime {
        case nil: advice = "the clock is not set: set it first"
        case let now?:
            guard let last = book.entries.last?.time, let day = last.date, let today = now.date, today < day else {
                return now
            }
            advice = "the clock shows \(today), the book has an entry of \(day): set the clock first"
        }
        throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: advice)
    }
}

/// The card's place, and what a visit says.
struct CounterCard: ParsableArguments {
    @Option(
        help: ArgumentHelp("The card reader's name or a part of it; without it, the first reader.", valueName: "NAME")
    )
    var reader: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The card application, 10 to 32 hexadecimal digits.", valueName: "HEX")
    )
    var aid = ApplicationArgument(bytes: Demonstration.aid)

    func visit(
        _ counter: OpenCounter,
        _ body: (CounterVisit) throws(CounterStop) -> Void
    ) throws(ServiceFailure) {
        let card = try CardTarget.realReader(reader)
        defer { card.disconnect() }
        try stopped { () throws(CounterStop) in
            let visit = try CounterVisit(card, aid: aid.bytes, side: counter.side, book: counter.book) { finding in
                for line in finding.lines(counter.book.counter) { writeLine(line) }
            }
            visit.wrongPIN = { standardError("the PIN is wrong, \($0.tries) left") }
            try body(visit)
        }
    }

    static func pin() throws(CounterStop) -> PIN {
        try typed { () throws(ServiceFailure) in try PINPrompt().ask("PIN") }
    }

    static func typed(_ ask: () throws(ServiceFailure) -> PIN) throws(CounterStop) -> PIN {
        do throws(ServiceFailure) { return try ask() } catch { throw .refused(error.reason) }
    }

    /// What is said when an earlier visit's transaction proved done.
    static func sayMade(_ isMadeNow: Bool, _ name: String) {
        guard !isMadeNow else { return }
        writeLine("this \(name) is of the visit before, whose answer was lost: none was made now")
        writeLine("give the command again for another one")
    }
}

/// EX_TEMPFAIL of sysexits.h.
private let answerLost: Int32 = 75

func stopped<Value: ~Copyable>(_ body: () throws(CounterStop) -> Value) throws(ServiceFailure) -> Value {
    do throws(CounterStop) { return try body() } catch {
        switch error {
        case .card(let fault): throw ServiceFailure(fault)
        case .refused(let reason): throw ServiceFailure(exitStatus: 1, reason: reason)
        case .data(let reason): throw ServiceFailure(exitStatus: KeyTool.refused, reason: reason)
        case .book(let reason): throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
        case .open(let reason): throw ServiceFailure(exitStatus: answerLost, reason: reason)
        }
    }
}
