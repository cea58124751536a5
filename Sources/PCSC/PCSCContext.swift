import CPCSCLite

/// A session with pcscd. Its calls block; one thread makes them, and ``cancel(_:)`` may come from another.
struct PCSCContext: ~Copyable {
    /// The reader whose state changes when a reader is plugged in or out.
    static let readerNotification = #"\\?PnP?\Notification"#

    /// `SCARD_ATTR_CHANNEL_ID`, which Swift does not import: tag 0x0110 of class 2, communications (reader.h).
    private static let channelID: DWORD = 0x0002_0110

    let handle: SCARDCONTEXT

    /// The corresponding C function is `SCardEstablishContext`.
    init() throws(PCSCError) {
        var handle = SCARDCONTEXT()
        let result = unsafe SCardEstablishContext(DWORD(SCARD_SCOPE_SYSTEM), nil, nil, &handle)
        try PCSCError.check("SCardEstablishContext", result)
        self.handle = handle
    }

    deinit {
        _ = SCardReleaseContext(handle)
    }

    /// The names of the readers, in pcscd's order. The corresponding C function is `SCardListReaders`.
    borrowing func readers() throws(PCSCError) -> [String] {
        var names = [CChar](repeating: 0, count: Int(PCSCLITE_MAX_READERS_CONTEXTS * MAX_READERNAME) + 1)
        var length = DWORD(names.count)
        let result = unsafe SCardListReaders(handle, nil, &names, &length)
        if UInt32(truncatingIfNeeded: result) == PCSCCode.noReaders { return [] }
        try PCSCError.check("SCardListReaders", result)
        return names.prefix(Int(length)).split(separator: 0).map { name in
            String(decoding: name.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Powers the card up, over T=0 or T=1 as it offers, for this process alone: between the lock and the debit of a
    /// sale no other program may select another application or reset the card, and an exclusive connection says so
    /// for the whole sale, where a transaction would have to be begun and ended around every part of it.
    ///
    /// A card that another program holds is not asked for: `SCardConnect` does not return before that program's transaction
    /// has ended.
    ///
    /// The corresponding C function is `SCardConnect`.
    borrowing func connect(to reader: String) throws(PCSCError) -> PCSCCard {
        let (card, activeProtocol) = try open(reader, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)
        return PCSCCard(handle: card, activeProtocol: activeProtocol, reader: reader)
    }

    /// What the reader's driver says of the channel to it, as it says it.
    ///
    /// It is asked over a connection without a card's protocol, which powers no card up and leaves one as it is; pcscd counts it as a
    /// shared one. A reader that another program uses is not asked, for the reason that ``connect(to:)`` has.
    ///
    /// The corresponding C functions are `SCardConnect`, `SCardGetAttrib` and `SCardDisconnect`.
    borrowing func channelAttribute(of reader: String) throws(PCSCError) -> [UInt8] {
        let (connection, _) = try open(reader, SCARD_SHARE_DIRECT, 0)
        defer { _ = SCardDisconnect(connection, DWORD(SCARD_LEAVE_CARD)) }
        var value = [UInt8](repeating: 0, count: Int(MAX_BUFFER_SIZE))
        var length = DWORD(value.count)
        // SAFETY: the buffer outlives the call, and its length goes with it.
        let result = unsafe SCardGetAttrib(connection, Self.channelID, &value, &length)
        try PCSCError.check("SCardGetAttrib", result)
        return Array(value.prefix(Int(length)))
    }

    /// - Throws: a sharing violation for a reader that is in use, which is not asked for.
    private borrowing func open(
        _ reader: String,
        _ share: Int32,
        _ protocols: Int32
    ) throws(PCSCError) -> (connection: SCARDHANDLE, activeProtocol: DWORD) {
        guard try !waitForChange(of: reader, from: .unaware, timeoutMilliseconds: 0).isInUse else {
            throw PCSCError(operation: "SCardConnect", code: PCSCCode.sharingViolation)
        }
        var connection = SCARDHANDLE()
        var activeProtocol = DWORD()
        let result = unsafe SCardConnect(
            handle,
            reader,
            DWORD(share),
            DWORD(protocols),
            &connection,
            &activeProtocol
        )
        try PCSCError.check("SCardConnect", result)
        return (connection, activeProtocol)
    }

    /// Waits until the reader's state is another than `known`.
    ///
    /// - Parameter timeoutMilliseconds: nil to wait for ever.
    /// - Returns: the state; `known` when the time is over or the wait was cancelled.
    ///
    /// The corresponding C function is `SCardGetStatusChange`.
    borrowing func waitForChange(
        of reader: String,
        from known: ReaderState,
        timeoutMilliseconds: UInt32?
    ) throws(PCSCError) -> ReaderState {
        var state = unsafe SCARD_READERSTATE()
        unsafe state.dwCurrentState = DWORD(known.rawValue)
        let result = unsafe reader.withCString { name in
            unsafe state.szReader = name
            // SAFETY: the name lives through the call, which does not keep it.
            return unsafe SCardGetStatusChange(handle, DWORD(timeoutMilliseconds ?? UInt32(INFINITE)), &state, 1)
        }
        switch UInt32(truncatingIfNeeded: result) {
        case PCSCCode.timeout, PCSCCode.cancelled: return known
        case PCSCCode.unknownReader: return .unknown
        case _:
            try PCSCError.check("SCardGetStatusChange", result)
            return unsafe ReaderState(event: UInt32(truncatingIfNeeded: state.dwEventState))
        }
    }

    /// Ends a wait that has begun; one that begins later is not ended. The corresponding C function is `SCardCancel`.
    static func cancel(_ handle: SCARDCONTEXT) {
        _ = SCardCancel(handle)
    }
}

/// A connection to the card in a reader; the card is powered down when it ends.
struct PCSCCard: ~Copyable {
    private let handle: SCARDHANDLE
    private let activeProtocol: DWORD
    let reader: String

    fileprivate init(handle: SCARDHANDLE, activeProtocol: DWORD, reader: String) {
        self.handle = handle
        self.activeProtocol = activeProtocol
        self.reader = reader
    }

    deinit {
        _ = SCardDisconnect(handle, DWORD(SCARD_UNPOWER_CARD))
    }

    var usesT0: Bool { activeProtocol == DWORD(SCARD_PROTOCOL_T0) }

    /// Sends the command from where it lies and overwrites the front of `answer`.
    ///
    /// - Returns: the length of the answer.
    ///
    /// The corresponding C function is `SCardTransmit`.
    borrowing func transmit(_ command: Span<UInt8>, into answer: inout [UInt8]) throws(PCSCError) -> Int {
        // What `SCARD_PCI_T0` and `SCARD_PCI_T1` point to; Swift does not import these macros.
        var request = SCARD_IO_REQUEST(
            dwProtocol: activeProtocol,
            cbPciLength: UInt(MemoryLayout<SCARD_IO_REQUEST>.size)
        )
        var length = DWORD(answer.count)
        let result = unsafe command.withUnsafeBufferPointer { bytes in
            // SAFETY: both buffers outlive the call, and their lengths go with them.
            unsafe SCardTransmit(handle, &request, bytes.baseAddress, DWORD(bytes.count), nil, &answer, &length)
        }
        try PCSCError.check("SCardTransmit", result)
        return Int(length)
    }
}

/// The state of a reader as `SCardGetStatusChange` tells it.
struct ReaderState: Equatable {
    /// For a first wait: it returns at once.
    static let unaware = ReaderState(rawValue: UInt32(SCARD_STATE_UNAWARE))
    static let unknown = ReaderState(rawValue: UInt32(SCARD_STATE_UNKNOWN))

    let rawValue: UInt32

    private init(rawValue: UInt32) { self.rawValue = rawValue }

    /// - Parameter event: `dwEventState`. Its mark of a change is left out, so that it can be waited on.
    init(event: UInt32) {
        rawValue = event & ~UInt32(SCARD_STATE_CHANGED)
    }

    /// The reader is not there any more.
    var isUnknown: Bool { has(SCARD_STATE_UNKNOWN) }
    /// The reader is there and does not work.
    var isUnavailable: Bool { has(SCARD_STATE_UNAVAILABLE) }
    /// A card is in it, be it mute.
    var isCardPresent: Bool { has(SCARD_STATE_PRESENT) }
    /// A card is in it that says nothing when it is powered up.
    var isMute: Bool { has(SCARD_STATE_MUTE) }
    /// A program is connected to it.
    var isInUse: Bool { has(SCARD_STATE_INUSE) || has(SCARD_STATE_EXCLUSIVE) }
    /// How many cards came or went, modulo 65,536.
    var cardEvents: UInt16 { UInt16(rawValue >> 16) }

    private func has(_ flag: Int32) -> Bool { rawValue & UInt32(flag) != 0 }
}
