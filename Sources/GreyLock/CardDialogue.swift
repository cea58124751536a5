package import FuelPassbook
package import ISO7816

/// An answer with data, or the status word in its place.
package enum CardAnswer<Response> {
    case success(Response)
    case status(StatusWord)
}

/// The passbook's commands and answers, over a reader. Calls block; one thread makes them.
package struct CardDialogue {
    private let reader: any CardReader

    package init(_ reader: any CardReader) { self.reader = reader }

    package func transmit(_ command: CommandAPDU) throws(CardStop) -> ResponseAPDU {
        do throws(CardFault) { return try reader.transmit(command.bytes.span) } catch { throw .card(error) }
    }

    package func send<Command: PassbookCommand>(
        _ command: Command
    ) throws(CardStop) -> CardAnswer<Command.Response> {
        let answer = try transmit(command.apdu)
        guard answer.status == .success else { return .status(answer.status) }
        do throws(ParseError) {
            return .success(try Command.Response(parsing: answer.data))
        } catch {
            throw .malformed(Command.instruction, error)
        }
    }

    package func exchange<Command: PassbookCommand>(_ command: Command) throws(CardStop) -> Command.Response {
        switch try send(command) {
        case .success(let response): response
        case .status(let status): throw .answered(Command.instruction, status)
        }
    }

    /// GET GREY STATUS.
    package func purse() throws(CardStop) -> PurseAnswer {
        switch try Selection.purse(transmit) {
        case .success(let answer): answer
        case .failure(.answer(let status)): throw .answered(.getGreyStatus, status)
        case .failure(.malformed(let error)): throw .malformed(.getGreyStatus, error)
        }
    }

    /// GET TRANSACTION PROVE of a debit; nil when the card does not keep it.
    package func proof(of type: TransactionType, ctc: CTC) throws(CardStop) -> TransactionProof? {
        let answer = try transmit(GetTransactionProve(type: type, number: ctc.number).apdu)
        switch answer.status {
        case .success: break
        case .proofNotAvailable: return nil
        case _: throw .answered(.getTransactionProve, answer.status)
        }
        do throws(ParseError) {
            return try TransactionProof(parsing: answer.data)
        } catch {
            throw .malformed(.getTransactionProve, error)
        }
    }
}
