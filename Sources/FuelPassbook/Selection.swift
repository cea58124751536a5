package import ISO7816

/// Why a card is not worked with, in the order of what it is asked first.
package enum SelectionRefusal: Error, Equatable, Sendable {
    case lockedForGood
    /// SELECT was answered so, most often because the application is not there.
    case notSelected(StatusWord)
    /// READ BINARY of the public file was answered so.
    case fileNotRead(StatusWord)
    case fileMalformed(ParseError)
}

/// What is said to every card before anything else, over whatever carries it.
package enum Selection {
    /// SELECT of the application.
    ///
    /// - Returns: what refused it; nil when it is selected.
    package static func select<Fault>(
        _ aid: [UInt8],
        _ transmit: (CommandAPDU) throws(Fault) -> ResponseAPDU
    ) throws(Fault) -> StatusWord? {
        let status = try transmit(SelectApplication(aid: aid).apdu).status
        return status == .success ? nil : status
    }

    /// SELECT, and READ BINARY of the public file, which says whose card it is.
    package static func identify<Fault>(
        _ aid: [UInt8],
        _ transmit: (CommandAPDU) throws(Fault) -> ResponseAPDU
    ) throws(Fault) -> Result<PublicApplicationFile, SelectionRefusal> {
        switch try select(aid, transmit) {
        case nil: break
        case .applicationLockedForGood: return .failure(.lockedForGood)
        case .some(let status): return .failure(.notSelected(status))
        }
        let read = ReadBinary(file: PublicApplicationFile.shortIdentifier, count: PublicApplicationFile.length)
        let answer = try transmit(read.apdu)
        guard answer.status == .success else { return .failure(.fileNotRead(answer.status)) }
        do throws(ParseError) {
            return .success(try PublicApplicationFile(parsing: answer.data))
        } catch {
            return .failure(.fileMalformed(error))
        }
    }

    /// Steps 3.1 and 3.2: GET GREY STATUS, by which a card also shows whether it has the petrol commands.
    package static func purse<Fault>(
        _ transmit: (CommandAPDU) throws(Fault) -> ResponseAPDU
    ) throws(Fault) -> Result<PurseAnswer, PurseRefusal> {
        let answer = try transmit(GetGreyStatus().apdu)
        switch answer.status {
        case .success: break
        case .commandNotAccepted: return .success(.free)
        case .instructionNotSupported, .classNotSupported: return .success(.noPetrolCommands(answer.status))
        case let status: return .failure(.answer(status))
        }
        do throws(ParseError) {
            return .success(.grey(try GetGreyStatus.Response(parsing: answer.data)))
        } catch {
            return .failure(.malformed(error))
        }
    }
}

/// What a card says of its purse. No code covers any of these: what they lead to proves itself.
package enum PurseAnswer {
    case grey(GetGreyStatus.Response)
    /// D18.
    case free
    /// The card knows no petrol commands, or says so: it takes the ordinary purchase alone.
    case noPetrolCommands(StatusWord)
}

/// Why a card's purse is not known.
package enum PurseRefusal: Error, Equatable, Sendable {
    case answer(StatusWord)
    case malformed(ParseError)
}
