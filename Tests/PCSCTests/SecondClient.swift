import CPCSCLite
import TestPrograms

/// Another program of the board that uses the same reader.
final class SecondClient {
    private var context = SCARDCONTEXT()
    private var card: SCARDHANDLE?

    struct Failure: Error {
        let operation: String
        let code: UInt32
    }

    init() throws {
        try Self.check(
            "SCardEstablishContext",
            unsafe SCardEstablishContext(DWORD(SCARD_SCOPE_SYSTEM), nil, nil, &context)
        )
    }

    deinit {
        release()
        _ = SCardReleaseContext(context)
    }

    enum Way: CaseIterable {
        case shared
        case exclusive
        case transaction
    }

    /// Takes the card as soon as there is one.
    func take(_ reader: String, _ way: Way) throws {
        var handle = SCARDHANDLE()
        var activeProtocol = DWORD()
        let share = way == .exclusive ? SCARD_SHARE_EXCLUSIVE : SCARD_SHARE_SHARED
        let patience = Patience()
        var state = DWORD(SCARD_STATE_UNAWARE)
        var result = SCARD_E_NO_SMARTCARD
        repeat {
            state = try change(of: reader, from: state, patience)
            result = unsafe SCardConnect(
                context,
                reader,
                DWORD(share),
                DWORD(SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1),
                &handle,
                &activeProtocol
            )
        } while UInt32(truncatingIfNeeded: result) != 0
        card = handle
        if way == .transaction { try Self.check("SCardBeginTransaction", SCardBeginTransaction(handle)) }
    }

    private func change(of reader: String, from state: DWORD, _ patience: Patience) throws -> DWORD {
        try unsafe reader.withCString { name in
            var waited = unsafe SCARD_READERSTATE()
            unsafe waited.szReader = name
            unsafe waited.dwCurrentState = state
            let result = unsafe SCardGetStatusChange(context, DWORD(patience.milliseconds), &waited, 1)
            try Self.check("SCardGetStatusChange", result)
            return unsafe waited.dwEventState & ~DWORD(SCARD_STATE_CHANGED)
        }
    }

    func release() {
        guard let card else { return }
        _ = SCardDisconnect(card, DWORD(SCARD_LEAVE_CARD))
        self.card = nil
    }

    private static func check(_ operation: String, _ result: Int) throws {
        let code = UInt32(truncatingIfNeeded: result)
        guard code == 0 else { throw Failure(operation: operation, code: code) }
    }
}
