package import CardCryptography
package import FuelPassbook
package import ISO7816
package import Issuer
private import Quantities

/// One card at the counter. Calls block; one thread makes them.
///
/// Invariants: an entry is in the book before the command with its MAC2 leaves; while an entry of the card is open, nothing else is
/// authorised for it; an entry is closed as done by a right MAC or TAC of its own transaction alone, and as void by a fresh MAC1 that
/// shows its number unused alone; nothing is authorised at a number that the book does not account for.
package final class CounterVisit {
    /// What the counter's side of a card is made of.
    package struct Side {
        let issuer: Issuer
        let references: [KeyReference]
        let random: any RandomSource

        /// - Parameter references: of the keys that the issuer has.
        package init(issuer: Issuer, references: [KeyReference], random: any RandomSource) {
            self.issuer = issuer
            self.references = references
            self.random = random
        }

        /// By which a card may be asked, each once.
        var indexes: [KeyIndex] {
            references.map(\.index).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
    }

    /// What became of earlier entries and of the one that was asked for.
    package enum Finding: Equatable, Sendable {
        case done(CounterEntry)
        /// Of an earlier visit, as the next two.
        case wasDone(CounterEntry)
        case wasNotDone(CounterEntry)
        /// It had been closed by hand.
        case shownAfterAll(CounterEntry)
        /// The card's log accounts by these for numbers that the book does not know.
        case wasElsewhere([LogRecord])
    }

    package let file: PublicApplicationFile
    let side: Side
    let book: CounterBook
    private let reader: any CardReader
    private let told: (Finding) -> Void

    /// Powers the card up and asks who it is.
    ///
    /// - Parameter told: hears each finding once it is durable.
    package init(
        _ reader: any CardReader,
        aid: [UInt8],
        side: Side,
        book: CounterBook,
        told: @escaping (Finding) -> Void
    ) throws(CounterStop) {
        self.reader = reader
        self.side = side
        self.book = book
        self.told = told
        let identified: Result<PublicApplicationFile, SelectionRefusal>
        do throws(CardFault) {
            try reader.connect()
            identified = try Selection.identify(aid) { (command) throws(CardFault) in
                try reader.transmit(command.bytes.span)
            }
        } catch {
            throw .card(error)
        }
        switch identified {
        case .success(let file): self.file = file
        case .failure(.lockedForGood): throw .answered(.select, .applicationLockedForGood)
        case .failure(.notSelected(let status)), .failure(.fileNotRead(let status)):
            throw .refused(
                """
                this is no card of the application \(Hex.string(aid)) (\(status)): use a card of this scheme, and name its \
                application with --aid
                """
            )
        case .failure(.fileMalformed(let error)): throw .malformed(.readBinary, error)
        }
    }

    package var card: ApplicationSerialNumber { file.asn }

    // MARK: - The PIN

    /// VERIFY, asked again while the card has tries.
    package func verifyPIN(_ ask: () throws(CounterStop) -> PIN) throws(CounterStop) {
        while true {
            let pin = try ask()
            let status = try sent { () throws(CardFault) in
                try pin.withVerifyCommand { (command) throws(CardFault) in try reader.transmit(command) }
            }.status
            if status == .success { return }
            guard let left = status.triesLeft else {
                guard status == .authenticationMethodBlocked else { throw .answered(.verify, status) }
                throw Self.pinBlocked
            }
            guard left > 0 else { throw Self.pinBlocked }
            wrongPIN(left)
        }
    }

    static let pinBlocked = CounterStop.refused(
        "no PIN tries are left: the issuer sets a new PIN with greylock counter pin --unblock; nothing was changed"
    )

    /// Says how many tries a card has after a wrong PIN.
    package var wrongPIN: (UInt8) -> Void = { _ in }

    func tell(_ finding: Finding) { told(finding) }

    // MARK: - Exchanges

    /// GET GREY STATUS; nil when the purse is not grey (D18), or knows no such thing.
    package func greyStatus() throws(CounterStop) -> GetGreyStatus.Response? {
        let answered: Result<PurseAnswer, PurseRefusal>
        do throws(CardFault) {
            answered = try Selection.purse { (command) throws(CardFault) in try reader.transmit(command.bytes.span) }
        } catch {
            throw .card(error)
        }
        switch answered {
        case .success(.grey(let status)): return status
        case .success(.free), .success(.noPetrolCommands): return nil
        case .failure(.answer(let status)): throw .answered(.getGreyStatus, status)
        case .failure(.malformed(let error)): throw .malformed(.getGreyStatus, error)
        }
    }

    /// An INITIALIZE under the first index that the card has.
    func initialize<Command: PassbookCommand>(
        _ command: (KeyIndex) -> Command
    ) throws(CounterStop) -> (Command, Command.Response) {
        for index in side.indexes {
            let asked = command(index)
            let answer = try transmit(asked.apdu)
            if answer.status == .keyIndexNotSupported { continue }
            guard answer.status == .success else { throw .answered(Command.instruction, answer.status) }
            do throws(ParseError) { return (asked, try Command.Response(parsing: answer.data)) } catch {
                throw .malformed(Command.instruction, error)
            }
        }
        throw .refused("the card has no key of the index that the store has: name its own store; nothing was changed")
    }

    func issued<Value: ~Copyable>(_ body: () throws(IssuerError) -> Value) throws(CounterStop) -> Value {
        do throws(IssuerError) { return try body() } catch { throw .issuer(error) }
    }

    func transmit(_ command: CommandAPDU) throws(CounterStop) -> ResponseAPDU {
        try sent { () throws(CardFault) in try exchange(command) }
    }

    func exchange(_ command: CommandAPDU) throws(CardFault) -> ResponseAPDU {
        try reader.transmit(command.bytes.span)
    }

    func exchange(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU { try reader.transmit(command) }

    private func sent(_ body: () throws(CardFault) -> ResponseAPDU) throws(CounterStop) -> ResponseAPDU {
        do throws(CardFault) { return try body() } catch { throw .card(error) }
    }
}
