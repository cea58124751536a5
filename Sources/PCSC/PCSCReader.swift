package import ISO7816

/// A reader behind pcscd. Every call blocks; one thread owns the reader and the card in it.
///
/// A command is sent from where it lies and is neither kept nor logged: VERIFY carries the PIN, and has no Le, so it is
/// never repeated with another one.
package final class PCSCReader: CardReader {
    /// GET RESPONSE commands that one command may need.
    package static let getResponsesMax = 8
    /// Data and status word.
    private static let answerBytesMax = ResponseAPDU.dataLengthMax + 2
    /// How long pcscd may take to notice that a card left: it looks at a reader without interrupts every 400 ms.
    private static let removalNoticeMilliseconds: UInt32 = 1_000
    /// Changes of a reader's state that are looked at in that time.
    private static let removalNoticesMax = 4

    private static let powerUpsMax = 3
    /// Between two attempts to power a card up, if nothing changes before.
    private static let powerUpMilliseconds: UInt32 = 300

    private let choice: ReaderChoice
    private var context: PCSCContext?
    private var card: PCSCCard?
    private var buffer = [UInt8](repeating: 0, count: answerBytesMax)

    /// - Parameter choice: which reader; shared with the monitor that reports its cards.
    package init(_ choice: ReaderChoice) {
        self.choice = choice
    }

    /// - Parameter name: a reader's name or a part of it; nil for the only reader there is.
    package convenience init(name: String?) {
        self.init(ReaderChoice(name))
    }

    /// Looks the reader up anew: its number changes when it is plugged in again.
    package func connect() throws(CardFault) {
        disconnect()
        if let kept = context.take() {
            do throws(OpenFailure) { return try open(kept) } catch {
                guard case .call(let fault) = error, fault.isServiceLost else { throw error.fault }
                choice.doubt()
            }
        }
        let made: PCSCContext
        do throws(PCSCError) { made = try PCSCContext() } catch { throw CardFault(error) }
        do throws(OpenFailure) { try open(made) } catch { throw error.fault }
    }

    package func disconnect() {
        card = nil
    }

    package func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        let layout: CommandLayout
        do throws(ParseError) { layout = try CommandLayout(parsing: command) } catch {
            throw .reader("the command is no short APDU: \(error)")
        }
        var response = try send(command, layout)
        if let length = response.status.correctExpectedLength, mayCorrectLength(layout) {
            var corrected = Array(copying: command)
            corrected[corrected.count - 1] = UInt8(truncatingIfNeeded: length)
            response = try send(corrected.span, layout)
        }
        return try collect(response)
    }

    private enum OpenFailure: Error {
        case call(PCSCError)
        /// The text says what to do.
        case noReader(String)

        var fault: CardFault {
            switch self {
            case .call(let error): CardFault(error)
            case .noReader(let advice): .reader(advice)
            }
        }
    }

    private func open(_ context: consuming PCSCContext) throws(OpenFailure) {
        let finding: ReaderChoice.Finding
        do throws(PCSCError) { finding = try choice.find(context) } catch { throw .call(error) }
        switch finding {
        case .reader(let name):
            do throws(PCSCError) { card = try powerUp(name, context) } catch { throw .call(error) }
        case .none(let advice): throw .noReader(advice)
        case .held: throw .call(PCSCError(operation: "SCardConnect", code: PCSCCode.sharingViolation))
        }
        self.context = consume context
    }

    /// A card that was only just put in may lose its contacts once more: pcscd then says that it has no power.
    private func powerUp(_ reader: String, _ context: borrowing PCSCContext) throws(PCSCError) -> PCSCCard {
        for _ in 1..<Self.powerUpsMax {
            do throws(PCSCError) { return try context.connect(to: reader) } catch {
                guard error.code == PCSCCode.unpoweredCard else { throw error }
            }
            let state = try context.waitForChange(of: reader, from: .unaware, timeoutMilliseconds: 0)
            _ = try context.waitForChange(of: reader, from: state, timeoutMilliseconds: Self.powerUpMilliseconds)
        }
        return try context.connect(to: reader)
    }
}

// MARK: - Transmission (ISO/IEC 7816-3, 12.2: mapping of APDUs to T=0; ISO/IEC 7816-4, 5.1)

extension PCSCReader {
    private var usesT0: Bool { card?.usesT0 ?? false }

    /// Over T=0 the last byte of a command with data is no Le, so there is none to correct.
    private func mayCorrectLength(_ layout: CommandLayout) -> Bool {
        layout.expectedLength != nil && (layout.body.isEmpty || !usesT0)
    }

    /// Over T=0 a command with data goes without its Le, and one of four bytes with a fifth of zero.
    private func send(_ command: Span<UInt8>, _ layout: CommandLayout) throws(CardFault) -> ResponseAPDU {
        guard usesT0 else { return try exchange(command) }
        if layout.body.isEmpty && layout.expectedLength == nil {
            let header = Array(copying: command) + [0]
            return try exchange(header.span)
        }
        return try exchange(layout.body.isEmpty ? command : command.extracting(..<layout.body.upperBound))
    }

    /// Fetches what a `61xx` announces until there is no more of it.
    private func collect(_ first: ResponseAPDU) throws(CardFault) -> ResponseAPDU {
        var response = first
        var data: [UInt8] = []
        for _ in 0..<Self.getResponsesMax {
            guard let available = response.status.availableLength else { break }
            data += response.data
            response = try getResponse(available)
            if let length = response.status.correctExpectedLength { response = try getResponse(length) }
        }
        data += response.data
        guard data.count <= ResponseAPDU.dataLengthMax else { throw .malformed(.wrongLength("response")) }
        return ResponseAPDU(data: data, status: response.status)
    }

    private func getResponse(_ length: Int) throws(CardFault) -> ResponseAPDU {
        let command = CommandAPDU(CommandHeader(0x00, 0xC0, 0x00, 0x00), expectedLength: length).bytes
        return try exchange(command.span)
    }

    private func exchange(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        let length: Int
        do throws(PCSCError) {
            guard let sent = try card?.transmit(command, into: &buffer) else {
                throw PCSCError(operation: "SCardTransmit", code: PCSCCode.invalidHandle)
            }
            length = sent
        } catch {
            throw fault(for: error)
        }
        if length == 0 && cardLeaves() { throw .removed }
        do throws(ParseError) { return try ResponseAPDU(parsing: buffer.prefix(length)) } catch {
            throw .malformed(error)
        }
    }

    /// An exchange that broke off does not say whether the card left; the reader's state does, a little later.
    private func fault(for error: PCSCError) -> CardFault {
        if error.isServiceLost {
            card = nil
            context = nil
            choice.doubt()
        } else if error.code == PCSCCode.notTransacted && cardLeaves() {
            return .removed
        }
        return CardFault(error)
    }

    private func cardLeaves() -> Bool {
        guard let reader = card?.reader else { return false }
        var state = ReaderState.unaware
        for _ in 0..<Self.removalNoticesMax {
            let next: ReaderState?
            do throws(PCSCError) {
                next = try context?.waitForChange(
                    of: reader,
                    from: state,
                    timeoutMilliseconds: Self.removalNoticeMilliseconds
                )
            } catch {
                return false
            }
            guard let next, next.isCardPresent else { return true }
            if next == state { return false }
            state = next
        }
        return false
    }
}
