import ArgumentParser
import Console
import Counter
import ISO7816
import Quantities
import Station
import Threads

struct CounterClose: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Close an entry that no card can prove any more, by hand.",
        discussion: """
            Only for an entry whose card is lost, or keeps no proof: any other is judged when its card comes. If the card comes after \
            all, it is asked all the same, and the book says what it showed.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var files: CounterFiles

    @Argument(help: "The entry's number.")
    var entry: UInt32

    @Option(help: "What became of it: done or not-done.")
    var `as`: CounterEntry.Outcome

    @OptionGroup var signature: SignatureOptions

    func validate() throws { try signature.requireGiven() }

    func run() throws {
        try runTool("counter close") { () throws(ServiceFailure) in
            let counter = try files.open()
            try stopped { () throws(CounterStop) in
                try counter.book.close(entry, as: self.as, by: signature.signature())
            }
            writeLine("entry \(entry) is closed as \(self.as.rawValue)")
        }
    }
}

extension CounterEntry.Outcome: ExpressibleByArgument {}

struct CounterAccept: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Say that what stopped the counter is right; the book keeps who said so.",
        discussion: """
            clock: the clock is right, though the book has later lines. book: this book is the newest there is, though its mark says \
            otherwise or is gone; the mark is made anew. card: the card in the reader may go on, though the book does not account for \
            its number. Find out first: what the book does not know can be given twice.

            \(CounterTool.exitStatus)
            """
    )

    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case clock, book, card
    }

    @OptionGroup var files: CounterFiles
    @OptionGroup var place: CounterCard

    @Argument(help: "clock, book or card.")
    var subject: Subject

    @OptionGroup var signature: SignatureOptions

    func validate() throws { try signature.requireGiven() }

    func run() throws {
        try runTool("counter accept") { () throws(ServiceFailure) in
            let counter = try files.open(inDoubt: subject == .book)
            let signed = try stopped { () throws(CounterStop) in try signature.signature() }
            switch subject {
            case .clock:
                let now = try counter.clock()
                try require(counter.isBehindBook(now), "the clock is not behind the book")
                try stopped { () throws(CounterStop) in try counter.book.accept(.clock, at: now, by: signed) }
                writeLine("the counter goes on from \(now)")
            case .book:
                try require(counter.book.doubt != nil, "the book is the newest")
                // This says nothing of the clock.
                let now = try counter.clock()
                let time = counter.book.lines.last.map { max($0.time, now) } ?? now
                try stopped { () throws(CounterStop) in try counter.book.accept(.book, at: time, by: signed) }
                writeLine("the counter goes on with this book")
            case .card:
                let now = try counter.now()
                try place.visit(counter) { (visit) throws(CounterStop) in
                    try visit.acceptCard(by: signed, at: now, pin: CounterCard.pin)
                    writeLine("the counter goes on with card \(visit.card)")
                }
            }
        }
    }

    private func require(_ isStopped: Bool, _ words: String) throws(ServiceFailure) {
        guard !isStopped else { return }
        throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(words): there is nothing to accept")
    }
}

/// Who decides by hand, and why.
struct SignatureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Why it is decided by hand, up to 200 bytes that can be seen.", valueName: "TEXT"))
    var reason: ReasonText?

    @Option(help: ArgumentHelp("Who decides it, up to 200 bytes that can be seen.", valueName: "TEXT"))
    var name: ReasonText?

    var isGiven: Bool { reason != nil && name != nil }

    func requireGiven() throws {
        guard isGiven else { throw ValidationError("say who decides it, and why, with --name TEXT --reason TEXT") }
    }

    func signature() throws(CounterStop) -> Signature {
        do throws(ParseError) {
            return try Signature(name: name?.text ?? "", reason: reason?.text ?? "")
        } catch {
            throw .data("\(error)")
        }
    }
}
