import ArgumentParser
import CardCryptography
import CardWorkshop
import Console
import Counter
import FuelPassbook
import Issuer
import Quantities
import Station
import Threads
import Words

struct CounterNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Begin the book of a counter.",
        discussion: """
            The book keeps what the counter authorised, coded under a key drawn from the issuer's store. Keep it: with an older copy in \
            its place, what it forgot can be given twice. A file that is there already is never replaced.

            \(CounterTool.exitStatus)
            """
    )

    @Option(help: ArgumentHelp("The file for the book; it must not exist yet.", valueName: "FILE"))
    var book: String

    @Option(help: ArgumentHelp("The issuer's key store.", valueName: "FILE"))
    var store: String

    @Option(
        help: ArgumentHelp(
            "The counter's own terminal id, 12 hexadecimal digits; no pump may have it.",
            valueName: "ID"
        )
    )
    var counter: TerminalArgument

    func run() throws {
        try runTool("counter new") { () throws(ServiceFailure) in
            let keys = try KeyStoreFile.open(store)
            let key = keys.bookKey()
            try stopped { () throws(CounterStop) in
                try CounterBook.begin(book, counter: counter.id, keys.bookReference, key: key, random: SystemRandom())
            }
            writeLine("the book of counter \(counter.id) is in \(book)")
        }
    }
}

struct CounterList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What the counter authorised, oldest first.",
        discussion: CounterTool.exitStatus
    )

    @OptionGroup var files: CounterFiles

    @Flag(help: "Only what has no proof yet.")
    var open = false

    func run() throws {
        try runTool("counter list") { () throws(ServiceFailure) in
            let counter = try files.open()
            let entries = counter.book.entries.filter { !open || $0.state == .open }
            for entry in entries { for line in entry.listed { writeLine(line) } }
            if entries.isEmpty { writeLine(open ? "nothing is open" : "the book has no entry yet") }
        }
    }
}

struct CounterClose: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Close an entry that no card can prove any more, by hand.",
        discussion: """
            Only for an entry whose card is lost, or keeps no proof: any other is judged when its card comes.

            \(CounterTool.exitStatus)
            """
    )

    enum Outcome: String, ExpressibleByArgument, CaseIterable {
        case done
        case notDone = "not-done"
    }

    @OptionGroup var files: CounterFiles

    @Argument(help: "The entry's number.")
    var entry: UInt32

    @Option(help: "What became of it: done or not-done.")
    var `as`: Outcome

    @OptionGroup var signature: SignatureOptions

    func validate() throws { try signature.validate(isNeeded: true) }

    func run() throws {
        try runTool("counter close") { () throws(ServiceFailure) in
            let counter = try files.open()
            try stopped { () throws(CounterStop) in
                let signature = try signature.signature()
                try counter.book.close(entry, as: .closedByHand(isDone: self.as == .done, signature))
            }
            writeLine("entry \(entry) is closed as \(self.as.rawValue)")
        }
    }
}

struct CounterPIN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Change a card's PIN, or set a new one by the issuer.",
        discussion: """
            With neither flag the holder types the old PIN and the new one twice. A card that takes no more tries, or whose holder forgot \
            the PIN, gets a new one with --unblock. See who the holder is before.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var files: CounterFiles
    @OptionGroup var place: CounterCard

    @Flag(help: "Set a new PIN by the issuer, without the old one; it fills the card's tries.")
    var unblock = false

    @Flag(help: "The same by RELOAD PIN, for cards that know no PIN UNBLOCK; where nobody can listen to the reader.")
    var reload = false

    func validate() throws {
        guard !(unblock && reload) else { throw ValidationError("give either --unblock or --reload") }
    }

    func run() throws {
        try runTool("counter pin") { () throws(ServiceFailure) in
            let counter = try files.open()
            try place.visit(counter) { (visit) throws(CounterStop) in
                _ = try visit.judgeByProof()
                if unblock {
                    try visit.unblockPIN(try newPIN())
                } else if reload {
                    try visit.reloadPIN(try newPIN())
                } else {
                    let old = try CounterCard.typed { () throws(ServiceFailure) in try PINPrompt().ask("old PIN") }
                    try visit.changePIN(old: old, new: try newPIN())
                }
                writeLine("card \(visit.card.masked): the new PIN is set")
            }
        }
    }

    private func newPIN() throws(CounterStop) -> PIN {
        try CounterCard.typed { () throws(ServiceFailure) in try PINPrompt().askNew() }
    }
}

// MARK: - In words

extension CounterVisit.Finding {
    func lines(_ counter: TerminalID) -> [String] {
        switch self {
        case .wasDone(let entry), .done(let entry): return entry.receipt(counter)
        case .wasNotDone(let entry):
            return [
                "entry \(entry.id), \(entry.task.words) at \(entry.time): the card did not do it, and no longer can; it is closed, and no money moved"
            ]
        }
    }
}

extension CounterTask {
    var words: String {
        switch self {
        case .load(let amount): "load of \(amount)"
        case .unload(let amount): "unload of \(amount)"
        case .unlock(_, let amount): "release of a grey card for \(amount)"
        case .forcedUnlock: "forced release of a grey card for nothing"
        }
    }
}

extension CounterEntry {
    fileprivate func receipt(_ counter: TerminalID) -> [String] {
        var table = WordTable()
        table.add("counter", "\(counter), entry \(id)")
        table.add("time", "\(time)")
        table.add("card", card.masked)
        switch task {
        case .load(let amount): table.add("loaded", "\(amount)")
        case .unload(let amount): table.add("unloaded", "\(amount)")
        case .unlock(let lock, let amount):
            table.add("released", "record \(lock.ttc.number) of terminal \(lock.terminal)")
            table.add("paid", "\(amount)")
        case .forcedUnlock(let signature):
            table.add("released", "without payment, by \(signature.name.printable)")
            table.add("reason", signature.reason.printable)
        }
        table.add("balance", "\(balance)")
        return table.lines
    }

    fileprivate var listed: [String] {
        var lines = ["\(id)  \(time)  card \(card)  \(task.words)  \(stateWords)"]
        if case .unlock(let lock, _) = task {
            lines.append("    record \(lock.ttc.number) of terminal \(lock.terminal)")
        }
        if case .forcedUnlock(let signature) = task { lines.append("    \(signature.words)") }
        if case .closedByHand(_, let signature) = state { lines.append("    closed: \(signature.words)") }
        return lines
    }

    private var stateWords: String {
        switch state {
        case .open: "OPEN, no proof yet: put the card in"
        case .done: "done"
        case .void: "not done"
        case .closedByHand(let isDone, _): "closed by hand as \(isDone ? "done" : "not done")"
        }
    }
}

extension Signature {
    fileprivate var words: String { "by \(name.printable): \(reason.printable)" }
}
