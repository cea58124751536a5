import FuelPassbook
import GreyLock
import ISO7816
import Metering
import Records

// Whose card it is, and its PIN.

extension Visit {
    /// For another program to let a card go that came (decision record 0025).
    static var heldNanosecondsMax: UInt64 { 10_000_000_000 }

    /// The same as ``identify()`` for a card that has just come: while another program holds it, it is tried again.
    func identifyWhenFree() throws(Interruption) -> PublicApplicationFile {
        let deadline = now + Self.heldNanosecondsMax
        while true {
            do throws(Interruption) { return try identify() } catch {
                guard case .card(let fault) = error, presence == .held, now < deadline else { throw error }
                display.show(.calling, .cardFault(fault))
            }
            try awaitHeldCard()
        }
    }

    /// Until it is time to try a held card again.
    private func awaitHeldCard() throws(Interruption) {
        let again = now + settings.timeouts.tick
        while let event = nextEvent(until: again) {
            switch event {
            case .reader(.cardRemoved): throw .card(.removed)
            case .reader(.lost(let reason)): throw .card(.reader(reason))
            case .stopRequested: throw .stop
            case .pumpFailed(let fault): throw .failure(.pump(fault))
            case .pump(.strayFlow): try noteStrayFlow()
            case .reader(.cardInserted), .reader(.back), .pump, .pinEntered, .pinRefused, .pinCancelled, .keypadLost,
                .keypadBack, .consoleLost, .parametersChanged, .ordersChanged, .identificationAsked:
                break
            }
        }
    }

    /// Powers the card up, selects the application and reads whose it is.
    func identify() throws(Interruption) -> PublicApplicationFile {
        try connectCard()
        let identified = try onCard { () throws(CardStop) in
            try Selection.identify(settings.aid, dialogue.transmit)
        }
        switch identified {
        case .success(let file):
            identifiedCard = file.asn
            return file
        case .failure(.lockedForGood): throw .refused(.lockedForGood)
        case .failure(.notSelected(.fileNotFound)): throw .refused(.noSuchApplication(settings.aid))
        case .failure(.notSelected(let status)), .failure(.fileNotRead(let status)):
            throw .refused(.notThisScheme(status))
        case .failure(.fileMalformed(let error)): throw .refused(.fileUnreadable(error))
        }
    }

    func send<Command: PassbookCommand>(_ command: Command) throws(Interruption) -> CardAnswer<Command.Response> {
        try onCard { () throws(CardStop) in try dialogue.send(command) }
    }

    func exchange<Command: PassbookCommand>(_ command: Command) throws(Interruption) -> Command.Response {
        try onCard { () throws(CardStop) in try dialogue.exchange(command) }
    }

    func proof(of type: TransactionType, ctc: CTC) throws(Interruption) -> TransactionProof? {
        try onCard { () throws(CardStop) in try dialogue.proof(of: type, ctc: ctc) }
    }

    // MARK: - PIN

    /// Asks for the PIN until the card takes it. It stays in locked memory until its owner ends.
    ///
    /// A PIN that nobody types is presented once, and not to a card that is known to have one try left.
    ///
    /// - Parameter verified: the PIN, where the card has taken it in this visit: then nobody is asked.
    func verifiedPIN(_ verified: consuming PIN? = nil) throws(Interruption) -> PIN {
        switch consume verified {
        case .some(let pin): return pin
        case nil: break
        }
        if !pin.isTyped, let card = identifiedCard, let left = board.triesLeft(of: card), left <= 1 {
            throw .refused(.pinNotTried(triesLeft: left))
        }
        while true {
            let pin = try askPIN()
            do throws(Interruption) {
                try verify(pin)
                return pin
            } catch {
                guard self.pin.isTyped, case .refused(.pinWrong(let left)) = error, left > 0 else { throw error }
                display.show(.calling, .refused(.pinWrong(triesLeft: left)))
            }
        }
    }

    /// Before a PIN is presented that the terminal has kept: its customer may have been told of a wrong one already, and
    /// the next try is then his to spend.
    func requireNoWrongPIN(on card: ApplicationSerialNumber) throws(Interruption) {
        if let left = board.triesLeft(of: card) { throw .refused(.pinNotTried(triesLeft: left)) }
    }

    func verify(_ pin: borrowing PIN) throws(Interruption) {
        let answer: ResponseAPDU
        do throws(CardFault) {
            answer = try pin.withVerifyCommand { (command) throws(CardFault) in
                try reader.transmit(command)
            }
        } catch {
            throw .card(error)
        }
        if let card = identifiedCard { board.note(answer.status, of: card) }
        if let left = answer.status.triesLeft { throw .refused(left == 0 ? .pinBlocked : .pinWrong(triesLeft: left)) }
        guard answer.status == .success else { throw .refused(Refusal(of: .verify, answer.status)) }
    }

    private func askPIN() throws(Interruption) -> PIN {
        if let reason = pin.obstacle { throw .refused(.keypadGone(reason)) }
        display.show(.calling, .typePIN)
        pin.begin()
        let deadline = now + settings.timeouts.pin
        while true {
            guard let event = nextEvent(until: deadline) else {
                pin.cancel()
                throw .refused(.pinNotTyped)
            }
            switch event {
            case .pinEntered:
                guard let pin = pin.take() else { continue }
                return pin
            case .pinRefused(let reason):
                display.show(.calling, .refused(.pinMalformed(reason)))
                display.show(.calling, .typePIN)
                pin.begin()
            case .pinCancelled:
                throw .refused(.pinCancelled)
            case .keypadLost(let reason):
                pin.cancel()
                throw .refused(.keypadGone(reason))
            case .consoleLost:
                pin.cancel()
                throw .refused(.consoleGone)
            case .reader(.cardRemoved):
                pin.cancel()
                throw .card(.removed)
            case .reader(.lost(let reason)):
                pin.cancel()
                throw .card(.reader(reason))
            case .stopRequested:
                pin.cancel()
                throw .stop
            case .pumpFailed(let fault):
                pin.cancel()
                throw .failure(.pump(fault))
            case .pump(.strayFlow): try noteStrayFlow()
            case .reader(.cardInserted), .reader(.back), .pump, .keypadBack, .parametersChanged, .ordersChanged,
                .identificationAsked:
                continue
            }
        }
    }

    /// Connects, and verifies the PIN again when it is the card of this sale (D16).
    func isSameCard(_ record: Record, _ pin: borrowing PIN) throws(Interruption) -> Bool {
        do throws(Interruption) {
            guard try identify().asn == record.card else {
                letCardWait()
                return false
            }
            try requireNoWrongPIN(on: record.card)
            try verify(pin)
            cardIsHere()
            return true
        } catch {
            switch error {
            case .card(let fault): display.show(.suspended, .cardFault(fault))
            case .refused(let refusal): display.show(.suspended, .refused(refusal))
            case .stop, .failure: throw error
            }
            disconnectCard()
            return false
        }
    }
}
