private import CardCryptography
private import FuelPassbook
private import Glibc
private import ISO7816
private import Synchronization

/// A virtual card's way into a reader of pcscd: the driver `vsmartcard-vpcd` listens, the card connects.
///
/// A message is a 2-byte length and a body. A body of one byte is power off (0), power on (1), reset (2) or the wish
/// for the ATR (4), which alone is answered; any other is a command. Only loopback is connected to: nothing on this
/// way is secret or authentic. One thread serves; ``stop()`` may come from another.
package final class VirtualReaderConnection: Sendable {
    /// The driver's first reader; the second has the next one.
    package static let defaultPort: UInt16 = 35_963
    /// A short command, of header, Lc, data and Le.
    private static let bodyBytesMax = 4 + 1 + CommandAPDU.dataLengthMax + 1
    private static let lengthBytes = 2

    private let socket: Int32
    private let isStopped = Atomic(false)

    /// Connects to the driver on this machine.
    ///
    /// - Throws: also when nothing listens; it is not tried again.
    package static func connect(port: UInt16 = defaultPort) throws(VirtualReaderFault) -> VirtualReaderConnection {
        let connection = try VirtualReaderConnection()
        try connection.open(port)
        return connection
    }

    private init() throws(VirtualReaderFault) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw VirtualReaderFault("socket") }
    }

    deinit {
        close(socket)
    }

    /// Answers for the card until the reader closes the connection or ``stop()`` is called.
    ///
    /// - Throws: when the reader's bytes are no message, or the connection breaks inside one.
    package func serve(
        _ card: some PoweredCard,
        over transmission: CardTransmission
    ) throws(VirtualReaderFault) {
        do throws(VirtualReaderFault) {
            try answerMessages(for: card, over: transmission)
        } catch {
            // A card is pulled at any moment, also in the middle of a message.
            guard isStopped.load(ordering: .acquiring) else { throw error }
        }
    }

    private func answerMessages(
        for card: some PoweredCard,
        over transmission: CardTransmission
    ) throws(VirtualReaderFault) {
        var inbox = LockedBuffer(count: Self.lengthBytes + Self.bodyBytesMax)
        var filled = 0
        var t0 = T0Layer()
        while try receive(into: &inbox, &filled, atLeast: Self.lengthBytes) {
            let body = inbox.withSpan { bytes in
                Self.lengthBytes..<Self.lengthBytes + (Int(bytes[0]) << 8 | Int(bytes[1]))
            }
            guard !body.isEmpty && body.count <= Self.bodyBytesMax else {
                throw VirtualReaderFault(reason: "the virtual reader sends a message of \(body.count) bytes")
            }
            guard try receive(into: &inbox, &filled, atLeast: body.upperBound) else {
                throw VirtualReaderFault(reason: "the virtual reader left in the middle of a message")
            }
            let answer = try inbox.withSpan { (bytes) throws(VirtualReaderFault) -> [UInt8]? in
                let message = bytes.extracting(body)
                if message.count == 1 { return try control(message[0], card, &t0, transmission) }
                switch transmission {
                case .t0: return t0.respond(to: message, card).bytes
                case .t1: return card.respond(to: message).bytes
                }
            }
            discard(body.upperBound, of: &inbox, &filled)
            if let answer, try !send(answer) { return }
        }
    }

    /// The card leaves the reader.
    package func stop() {
        isStopped.store(true, ordering: .releasing)
        _ = shutdown(socket, Int32(SHUT_RDWR))
    }

    private func control(
        _ code: UInt8,
        _ card: some PoweredCard,
        _ t0: inout T0Layer,
        _ transmission: CardTransmission
    ) throws(VirtualReaderFault) -> [UInt8]? {
        switch code {
        case 0, 1, 2:
            card.reset()
            t0 = T0Layer()
            return nil
        case 4: return transmission.atr
        case _: throw VirtualReaderFault(reason: "the virtual reader sends the unknown control byte \(code)")
        }
    }
}

/// Which transmission protocol a virtual card speaks (ISO/IEC 7816-3).
package enum CardTransmission: String, CaseIterable, Sendable {
    case t0
    case t1

    /// The shortest answers to reset: TS, T0 and, for T=1, TD1 and the check byte (ISO/IEC 7816-3, 8.2).
    package var atr: [UInt8] {
        switch self {
        case .t0: [0x3B, 0x00]
        case .t1: [0x3B, 0x80, 0x01, 0x81]
        }
    }
}

/// The connection to a virtual reader cannot be made or is broken.
package struct VirtualReaderFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let reason: String

    init(reason: String) { self.reason = reason }

    /// The calling thread's last system call failed.
    fileprivate init(_ operation: String) {
        // SAFETY: the text is copied before this thread's next call.
        unsafe reason = "virtual reader, \(operation): \(String(cString: strerror(errno)))"
    }

    package var description: String { reason }
}

// MARK: - Socket

extension VirtualReaderConnection {
    private func open(_ port: UInt16) throws(VirtualReaderFault) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7F00_0001).bigEndian)
        let result = unsafe withUnsafePointer(to: &address) { address in
            // SAFETY: an address of the IPv4 family is passed as any address, with its own length.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe Glibc.connect(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            guard errno == ECONNREFUSED else { throw VirtualReaderFault("connect") }
            throw VirtualReaderFault(
                reason: "no virtual reader listens on port \(port): start pcscd with vsmartcard-vpcd"
            )
        }
        try set(TCP_NODELAY)
    }

    private func set(_ option: Int32) throws(VirtualReaderFault) {
        var on: Int32 = 1
        let result = unsafe setsockopt(
            socket,
            Int32(IPPROTO_TCP),
            option,
            &on,
            socklen_t(MemoryLayout<Int32>.size)
        )
        guard result == 0 else { throw VirtualReaderFault("setsockopt") }
    }

    /// Debian 12's driver sends length and body in two writes: without an immediate acknowledgement of the first,
    /// which the kernel grants for a while only, the second waits 40 ms.
    ///
    /// - Returns: false when the reader closed the connection, or was stopped, before the first byte of a message.
    private func receive(
        into inbox: inout LockedBuffer,
        _ filled: inout Int,
        atLeast count: Int
    ) throws(VirtualReaderFault) -> Bool {
        while filled < count {
            try set(TCP_QUICKACK)
            let start = filled
            let received = inbox.withMutableSpan { span in
                unsafe span.withUnsafeMutableBytes { bytes in
                    // SAFETY: the kernel writes inside the rest of the buffer, which is not empty.
                    unsafe recv(socket, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start, 0)
                }
            }
            if received > 0 {
                filled += received
            } else if received == 0 || errno == ECONNRESET {
                guard filled == 0 else { throw VirtualReaderFault(reason: "the virtual reader left in a message") }
                return false
            } else if errno != EINTR {
                throw VirtualReaderFault("receive")
            }
        }
        return true
    }

    /// Moves what came after the first `count` bytes to the front.
    private func discard(_ count: Int, of inbox: inout LockedBuffer, _ filled: inout Int) {
        let rest = filled - count
        inbox.withMutableSpan { bytes in
            for index in 0..<rest { bytes[index] = bytes[count + index] }
        }
        filled = rest
    }

    /// - Returns: false when the reader closed the connection, or the card was stopped meanwhile.
    private func send(_ body: [UInt8]) throws(VirtualReaderFault) -> Bool {
        var rest = (UInt16(body.count).bytes + body)[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            if sent >= 0 {
                rest = rest.dropFirst(sent)
            } else if errno == EPIPE || errno == ECONNRESET {
                return false
            } else if errno != EINTR {
                throw VirtualReaderFault("send")
            }
        }
        return true
    }
}

// MARK: - T=0

/// A card's side of T=0 (ISO/IEC 7816-3, 12.2): commands with data come without Le, their answers wait for GET
/// RESPONSE.
private struct T0Layer: ~Copyable {
    /// The part of the last answer that was not fetched.
    private var waiting: [UInt8] = []
    private var command = LockedBuffer(count: 4 + 1 + CommandAPDU.dataLengthMax + 1)

    mutating func respond(to bytes: Span<UInt8>, _ card: some PoweredCard) -> ResponseAPDU {
        let layout: CommandLayout
        do throws(ParseError) { layout = try CommandLayout(parsing: bytes) } catch {
            return ResponseAPDU(status: .wrongLength)
        }
        if layout.header == CommandHeader(0x00, 0xC0, 0x00, 0x00), let length = layout.expectedLength {
            return getResponse(length)
        }
        waiting = []
        guard let le = Self.missingLe(layout) else {
            let response = card.respond(to: bytes)
            // The card must send as many bytes as P3 says, or none.
            guard !response.data.isEmpty, response.data.count != layout.expectedLength else { return response }
            return ResponseAPDU(status: .wrongExpectedLength(response.data.count))
        }
        complete(bytes, le)
        let response = command.withSpan { card.respond(to: $0.extracting(..<(bytes.count + 1))) }
        guard !response.data.isEmpty else { return response }
        waiting = response.data
        return ResponseAPDU(status: .bytesAvailable(waiting.count))
    }

    private mutating func getResponse(_ length: Int) -> ResponseAPDU {
        guard !waiting.isEmpty else { return ResponseAPDU(status: .conditionsOfUseNotSatisfied) }
        guard length <= waiting.count else { return ResponseAPDU(status: .wrongExpectedLength(waiting.count)) }
        let part = Array(waiting.prefix(length))
        waiting.removeFirst(length)
        return ResponseAPDU(data: part, status: waiting.isEmpty ? .success : .bytesAvailable(waiting.count))
    }

    /// The Le that the command had before T=0 took it away; nil where it had none or still has it.
    private static func missingLe(_ layout: CommandLayout) -> UInt8? {
        guard !layout.body.isEmpty, layout.expectedLength == nil else { return nil }
        do throws(StatusWord) {
            switch try Instruction(layout.header).answer {
            case .none, .oneOf: return nil
            case .exactly(let length): return UInt8(truncatingIfNeeded: length)
            case .variable: return 0
            }
        } catch {
            return nil
        }
    }

    private mutating func complete(_ bytes: Span<UInt8>, _ le: UInt8) {
        command.withMutableSpan { command in
            for index in bytes.indices { command[index] = bytes[index] }
            command[bytes.count] = le
        }
    }
}
