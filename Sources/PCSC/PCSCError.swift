private import CPCSCLite
import ISO7816

/// A PC/SC call that failed: the C function and its code.
///
/// Codes are compared as their low 32 bits, because `LONG` is 64 bits wide on some boards and 32 on others.
struct PCSCError: Error, Equatable {
    let operation: String
    let code: UInt32

    /// - Throws: `PCSCError` for any result but `SCARD_S_SUCCESS`.
    static func check(_ operation: String, _ result: Int) throws(PCSCError) {
        let code = UInt32(truncatingIfNeeded: result)
        guard code == PCSCCode.success else { throw PCSCError(operation: operation, code: code) }
    }

    /// Whether pcscd ended, or ended and came back: the context and every handle made from it are void.
    ///
    /// The client library answers a closed connection with `SCARD_F_COMM_ERROR`, and one that was closed with a request
    /// in it that pcscd had not read with `SCARD_W_SECURITY_VIOLATION`: so pcscd refuses a user too.
    var isServiceLost: Bool {
        switch code {
        case PCSCCode.noService, PCSCCode.serviceStopped, PCSCCode.invalidHandle, PCSCCode.shutdown,
            PCSCCode.systemCancelled, PCSCCode.communicationError, PCSCCode.securityViolation:
            true
        case _: false
        }
    }
}

extension PCSCError: CustomStringConvertible {
    /// The corresponding C function is `pcsc_stringify_error`.
    var description: String {
        // SAFETY: the function answers a string of the calling thread's own, which is copied before its next call.
        let text = unsafe String(cString: pcsc_stringify_error(LONG(truncatingIfNeeded: code)))
        let digits = String(code, radix: 16, uppercase: true)
        return "\(operation): \(text) (0x\(String(repeating: "0", count: 8 - digits.count))\(digits))"
    }
}

/// The codes of `pcsclite.h` that this project tells apart.
enum PCSCCode {
    static let success = UInt32(truncatingIfNeeded: SCARD_S_SUCCESS)
    static let cancelled = UInt32(truncatingIfNeeded: SCARD_E_CANCELLED)
    static let invalidHandle = UInt32(truncatingIfNeeded: SCARD_E_INVALID_HANDLE)
    static let unknownReader = UInt32(truncatingIfNeeded: SCARD_E_UNKNOWN_READER)
    static let timeout = UInt32(truncatingIfNeeded: SCARD_E_TIMEOUT)
    static let sharingViolation = UInt32(truncatingIfNeeded: SCARD_E_SHARING_VIOLATION)
    static let noSmartCard = UInt32(truncatingIfNeeded: SCARD_E_NO_SMARTCARD)
    static let protocolMismatch = UInt32(truncatingIfNeeded: SCARD_E_PROTO_MISMATCH)
    static let systemCancelled = UInt32(truncatingIfNeeded: SCARD_E_SYSTEM_CANCELLED)
    static let communicationError = UInt32(truncatingIfNeeded: SCARD_F_COMM_ERROR)
    static let notTransacted = UInt32(truncatingIfNeeded: SCARD_E_NOT_TRANSACTED)
    static let notReady = UInt32(truncatingIfNeeded: SCARD_E_NOT_READY)
    static let readerUnavailable = UInt32(truncatingIfNeeded: SCARD_E_READER_UNAVAILABLE)
    static let dataLost = UInt32(truncatingIfNeeded: SCARD_E_COMM_DATA_LOST)
    static let serverTooBusy = UInt32(truncatingIfNeeded: SCARD_E_SERVER_TOO_BUSY)
    static let securityViolation = UInt32(truncatingIfNeeded: SCARD_W_SECURITY_VIOLATION)
    static let shutdown = UInt32(truncatingIfNeeded: SCARD_P_SHUTDOWN)
    static let noService = UInt32(truncatingIfNeeded: SCARD_E_NO_SERVICE)
    static let serviceStopped = UInt32(truncatingIfNeeded: SCARD_E_SERVICE_STOPPED)
    static let unsupportedFeature = UInt32(truncatingIfNeeded: SCARD_E_UNSUPPORTED_FEATURE)
    static let noReaders = UInt32(truncatingIfNeeded: SCARD_E_NO_READERS_AVAILABLE)
    static let unsupportedCard = UInt32(truncatingIfNeeded: SCARD_W_UNSUPPORTED_CARD)
    static let unresponsiveCard = UInt32(truncatingIfNeeded: SCARD_W_UNRESPONSIVE_CARD)
    static let unpoweredCard = UInt32(truncatingIfNeeded: SCARD_W_UNPOWERED_CARD)
    static let resetCard = UInt32(truncatingIfNeeded: SCARD_W_RESET_CARD)
    static let removedCard = UInt32(truncatingIfNeeded: SCARD_W_REMOVED_CARD)
}

extension PCSCError {
    /// What is the matter and what to do, in words, then the call and its code for whoever looks it up.
    var advice: String { cause.map { "\($0) (\(self))" } ?? "\(self)" }

    private static let serviceStopped = "the card service stopped: it is looked for again; start pcscd if it stays away"
    /// In which pcscd asks polkit.
    private static let askingForLeave: Set<String> = ["SCardEstablishContext", "SCardConnect"]

    /// nil where the code's own text is all there is to say.
    private var cause: String? {
        switch code {
        case PCSCCode.noService: "the card service does not run: start pcscd"
        case PCSCCode.serviceStopped, PCSCCode.shutdown, PCSCCode.systemCancelled, PCSCCode.invalidHandle,
            PCSCCode.communicationError:
            Self.serviceStopped
        case PCSCCode.securityViolation:
            Self.askingForLeave.contains(operation)
                ? "this user may not use card readers: install greylock-pcscd.rules in /etc/polkit-1/rules.d, or the package anew, which has it"
                : Self.serviceStopped
        case PCSCCode.serverTooBusy: "the card service serves too many programs: end some"
        case PCSCCode.noReaders: "no card reader: plug it in"
        case PCSCCode.unknownReader, PCSCCode.readerUnavailable:
            "the card reader is gone or does not work: unplug it and plug it in again"
        case PCSCCode.notReady: "the card reader is not ready: take the card out and put it in again"
        case PCSCCode.sharingViolation: "another program uses the card"
        case PCSCCode.resetCard: "another program reset the card"
        case PCSCCode.notTransacted, PCSCCode.dataLost: "the exchange with the card broke off: put it in again"
        case PCSCCode.unpoweredCard: "it has no power: take it out and put it in again"
        case PCSCCode.unresponsiveCard: "no chip is heard: turn it over, or wipe its contacts"
        case PCSCCode.protocolMismatch, PCSCCode.unsupportedCard: "it is of a kind that the reader cannot talk to"
        case _: nil
        }
    }
}

extension CardFault {
    init(_ error: PCSCError) {
        self =
            switch error.code {
            case PCSCCode.removedCard, PCSCCode.noSmartCard: .removed
            case PCSCCode.unresponsiveCard, PCSCCode.unpoweredCard, PCSCCode.protocolMismatch,
                PCSCCode.unsupportedCard:
                .unresponsive(error.advice)
            case PCSCCode.sharingViolation: .inUse(error.description)
            // The card is still there after a reset, so nobody will report it as put back: what a removal waits for.
            case _: .reader(error.advice)
            }
    }
}
