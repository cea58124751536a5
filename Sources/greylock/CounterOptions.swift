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

/// Where the counter's book is.
struct BookOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The counter's book, which greylock counter new begins.", valueName: "FILE"))
    var book: String

    @Option(
        help: ArgumentHelp(
            "The book's mark, best on another medium; without it, the book's name and .mark.",
            valueName: "FILE"
        )
    )
    var mark: String?

    var markPath: String { mark ?? CounterBook.mark(of: book) }
}

/// The issuer's store and the counter's book.
struct CounterFiles: ParsableArguments {
    @OptionGroup var place: BookOptions

    @Option(
        help: ArgumentHelp("The issuer's key store; once for each that cards are of.", valueName: "FILE")
    )
    var store: [String]

    func validate() throws {
        guard !store.isEmpty else { throw ValidationError("give the issuer's key store with --store FILE") }
        guard Set(store).count == store.count else { throw ValidationError("--store: name each file once") }
    }

    /// Asks for the passphrase of each store, and takes the book.
    ///
    /// - Parameter inDoubt: also one that is not the newest.
    func open(inDoubt: Bool = false) throws(ServiceFailure) -> OpenCounter {
        let book = place.book
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
                opened = try stopped { () throws(CounterStop) in try CounterBook(book, mark: place.mark, key: key) }
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
        if !inDoubt { try stopped { () throws(CounterStop) in try opened.requireNewest() } }
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
        let now = try clock()
        guard isBehindBook(now) else { return now }
        throw ServiceFailure(
            exitStatus: ServiceFailure.unavailable,
            reason: """
                the clock shows \(now), the book has a line of \(book.lines.last?.time ?? now): set the clock. If it is right, and was \
                ahead then: greylock counter accept clock
                """
        )
    }

    /// - Throws: for a clock that is not set.
    func clock() throws(ServiceFailure) -> TransactionTime {
        guard let now = SystemClock().localTime else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "the clock is not set: set it first"
            )
        }
        return now
    }

    /// By a day or more: within one, summer time may have ended.
    func isBehindBook(_ now: TransactionTime) -> Bool {
        guard let last = book.lines.last?.time.date, let today = now.date else { return false }
        return today < last
    }
}

/// The card's place, and what a visit says.
struct CounterCard: ParsableArguments {
    @OptionGroup var place: ReaderOptions

    func visit(
        _ counter: OpenCounter,
        _ body: (CounterVisit) throws(CounterStop) -> Void
    ) throws(ServiceFailure) {
        let card = try CardTarget.realReader(place.reader)
        defer { card.disconnect() }
        try stopped { () throws(CounterStop) in
            let visit = try CounterVisit(card, aid: place.aid.bytes, side: counter.side, book: counter.book) {
                finding in
                for line in finding.lines(counter.book.counter) { writeLine(line) }
            }
            visit.wrongPIN = { standardError("the PIN is wrong, \($0.tries) left") }
            try body(visit)
        }
    }

    /// A visit that moves money. Before that it is said what was done with the card last: whoever lost the receipt sees it.
    ///
    /// - Parameter act: false when an earlier visit's transaction proved done, and none was made now.
    func move(
        _ name: String,
        _ counter: OpenCounter,
        _ act: (CounterVisit) throws(CounterStop) -> Bool
    ) throws(ServiceFailure) {
        try visit(counter) { (visit) throws(CounterStop) in
            if let last = counter.book.entries.last(where: { $0.card == visit.card }), last.outcome == .done {
                writeLine("the card was here last for \(last.name): done")
            }
            guard try !act(visit) else { return }
            writeLine("this \(name) is of the visit before, whose answer was lost: none was made now")
            writeLine("give the command again for another one")
        }
    }

    static func pin() throws(CounterStop) -> PIN {
        try typed { () throws(ServiceFailure) in try PINPrompt().ask("PIN") }
    }

    static func typed(_ ask: () throws(ServiceFailure) -> PIN) throws(CounterStop) -> PIN {
        do throws(ServiceFailure) { return try ask() } catch { throw .refused(error.reason) }
    }
}
