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
            The book keeps what the counter authorised, coded under a key of the issuer's store. With an older copy in its place, \
            what it forgot could be given twice: its mark shows that, best on another medium, which is never restored with the book. A \
            file that is there already is never replaced.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var place: BookOptions

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
            for path in [place.book, place.markPath] {
                try KeyStoreFile.requireNew(path, "there may be open entries")
            }
            let keys = try KeyStoreFile.open(store)
            let key = keys.bookKey()
            try stopped { () throws(CounterStop) in
                try CounterBook.begin(
                    place.book,
                    mark: place.mark,
                    counter: counter.id,
                    keys.bookReference,
                    key: key,
                    random: SystemRandom()
                )
            }
            writeLine("the book of counter \(counter.id) is in \(place.book), its mark in \(place.markPath)")
        }
    }
}

struct CounterList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What the counter authorised, oldest first.",
        discussion: """
            A book that is not the newest is listed all the same, and a line on standard error says so.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var files: CounterFiles

    @Flag(help: "Only what has no proof of a card yet, also what was closed by hand.")
    var open = false

    func run() throws {
        try runTool("counter list") { () throws(ServiceFailure) in
            let book = try files.open(inDoubt: true).book
            if case .book(let reason) = book.doubt { standardError(reason) }
            let lines = book.lines.filter { !open || $0.isUnproved }
            for line in lines { for text in line.listed { writeLine(text) } }
            if lines.isEmpty { writeLine(open ? "nothing is open" : "the book has no entry yet") }
        }
    }
}

extension BookLine {
    fileprivate var isUnproved: Bool {
        switch self {
        case .entry(let entry): entry.awaitsCard
        case .acceptance: false
        }
    }
}
