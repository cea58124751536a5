import ArgumentParser
import Console
import Counter
import Files
import FuelPassbook
import ISO7816
import Quantities
import Records
import Station
import Threads

struct CounterLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Put money onto a card.",
        discussion: """
            Take the customer's money first, and hold it: give it back only when this says that the card did not do it. What an earlier \
            visit left open is judged first.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var money: CounterMoney

    func run() throws {
        try money.run("load") { (visit, amount, now) throws(CounterStop) in
            let validity = CardValidity(of: visit.file, on: now.date)
            if let advice = CardAdvice.validity(validity, visit.file) {
                throw .refused("\(advice); nothing was changed")
            }
            return try visit.load(amount, at: now, pin: CounterCard.pin)
        }
    }
}

struct CounterUnload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unload",
        abstract: "Take money off a card, back to its holder.",
        discussion: """
            Give the customer the money when the receipt says that it is unloaded. What an earlier visit left open is judged first.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var money: CounterMoney

    func run() throws {
        try money.run("unload") { (visit, amount, now) throws(CounterStop) in
            try visit.unload(amount, at: now, pin: CounterCard.pin)
        }
    }
}

/// An amount for the card in the reader.
struct CounterMoney: ParsableArguments {
    @OptionGroup var files: CounterFiles
    @OptionGroup var place: CounterCard

    @Argument(help: ArgumentHelp("Yuan, with up to two decimals.", valueName: "AMOUNT"))
    var amount: YuanArgument

    /// - Parameter act: false when it is of an earlier visit.
    func run(
        _ name: String,
        _ act: (CounterVisit, Amount, TransactionTime) throws(CounterStop) -> Bool
    ) throws {
        try runTool("counter \(name)") { () throws(ServiceFailure) in
            let counter = try files.open()
            let now = try counter.now()
            try place.move(name, counter) { (visit) throws(CounterStop) in try act(visit, amount.amount, now) }
        }
    }
}

struct CounterUnlock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Release a grey card, with the amount of its grey record or, forced, with zero.",
        discussion: """
            The record comes from the terminal of the sale: greylock records export. Without it the amount is not known; --force-zero \
            releases the card without payment, and the book keeps who decided it and why. What an earlier visit left open is judged \
            first.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var files: CounterFiles
    @OptionGroup var place: CounterCard

    @Option(help: ArgumentHelp("What greylock records export wrote.", valueName: "FILE"))
    var records: String?

    @Flag(help: "Release it without payment; needs --reason and --name.")
    var forceZero = false

    @OptionGroup var signature: SignatureOptions

    func validate() throws {
        guard (records == nil) == forceZero else {
            throw ValidationError("give either --records FILE, or --force-zero --reason TEXT --name TEXT")
        }
        guard !forceZero else { return try signature.requireGiven() }
        guard signature.reason == nil, signature.name == nil else {
            throw ValidationError("--reason and --name belong to --force-zero")
        }
    }

    func run() throws {
        try runTool("counter unlock") { () throws(ServiceFailure) in
            let bytes = try recordBytes()
            let counter = try files.open()
            let now = try counter.now()
            let basis = try stopped { () throws(CounterStop) -> CounterVisit.UnlockBasis in
                try decided(bytes, counter)
            }
            try place.move("release", counter) { (visit) throws(CounterStop) in
                try visit.unlock(basis, at: now, pin: CounterCard.pin)
            }
        }
    }

    private func decided(_ bytes: [UInt8]?, _ counter: OpenCounter) throws(CounterStop) -> CounterVisit.UnlockBasis {
        guard let bytes, let records else { return .forced(try signature.signature()) }
        do throws(CounterStop) { return .records(try GreyRecordFile.carried(bytes, keys: counter.holder)) } catch {
            guard case .data(let reason) = error else { throw error }
            throw .data("\(records.printable): \(reason)")
        }
    }

    /// Before a passphrase is asked for.
    private func recordBytes() throws(ServiceFailure) -> [UInt8]? {
        guard let records else { return nil }
        do throws(FileFault) {
            guard let bytes = try WholeFile.contents(records, bytesMax: GreyRecordFile.bytesMax) else {
                throw FileFault("there is no file \(records.printable): check its name")
            }
            return bytes
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
    }
}

struct CounterJudge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "judge",
        abstract: "Find out what a card did whose answer was lost, and do nothing else.",
        discussion: CounterTool.exitStatus
    )

    @OptionGroup var files: CounterFiles
    @OptionGroup var place: CounterCard

    func run() throws {
        try runTool("counter judge") { () throws(ServiceFailure) in
            let counter = try files.open()
            _ = try counter.now()
            try place.visit(counter) { (visit) throws(CounterStop) in
                guard !counter.book.waiting(visit.card).isEmpty else {
                    return writeLine("card \(visit.card): nothing is open")
                }
                try visit.judge(pin: CounterCard.pin)
                for entry in counter.book.waiting(visit.card) {
                    writeLine(
                        "\(entry.name), was closed by hand: the card keeps no proof of it any more, and it stays so"
                    )
                }
            }
        }
    }
}

/// An amount of money above zero on the command line.
struct YuanArgument: ExpressibleByArgument {
    let amount: Amount

    init?(argument: String) {
        guard let yuan = Hundredths(argument: argument), yuan.count > 0 else { return nil }
        amount = Amount(fen: UInt32(yuan.count))
    }
}
