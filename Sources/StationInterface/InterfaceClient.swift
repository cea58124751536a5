private import Glibc

/// One client's connection: what came and is not read yet, and what is to be sent. It belongs to the interface's thread.
final class InterfaceClient {
    let descriptor: Int32
    let kind: SocketKind
    let peer: Peer
    private var received: [UInt8] = []
    private var toSend: [UInt8] = []
    private var sent = 0
    /// Since when it takes nothing of what is to be sent; nil while nothing is.
    private var sendsSince: UInt64?
    /// Since when a line is begun and not ended.
    private var lineSince: UInt64?
    private var lastRequest: UInt64
    /// It will send nothing more.
    private(set) var hasEnded = false
    /// It is to get what is to be sent, and then go.
    private(set) var isLeaving = false
    /// Nothing can be said to it any more.
    private(set) var isGone = false
    private(set) var ordersCount = 0
    var watch: Watch?

    struct Watch {
        let id: RequestID
        var seen: UInt64
        var next: UInt64
    }

    init(_ descriptor: Int32, _ kind: SocketKind, _ peer: Peer, at now: UInt64) {
        self.descriptor = descriptor
        self.kind = kind
        self.peer = peer
        lastRequest = now
    }

    deinit { close(descriptor) }

    var pendingBytes: Int { toSend.count - sent }

    func mayAsk(_ limits: InterfaceLimits) -> Bool {
        !isLeaving && !isGone && pendingBytes < limits.answerBytesMax && ordersCount < limits.ordersMax
    }

    func events(_ limits: InterfaceLimits) -> Int16 {
        var events: Int32 = 0
        if !hasEnded, received.count <= RequestReader.lineBytesMax, mayAsk(limits) { events |= POLLIN }
        if pendingBytes > 0 { events |= POLLOUT }
        return Int16(events)
    }

    func orderIsGiven() { ordersCount += 1 }

    /// The corresponding C function is `recv`.
    func receive(at now: UInt64) {
        let room = RequestReader.lineBytesMax + 1 - received.count
        guard room > 0, !hasEnded else { return }
        let before = received.count
        var count = 0
        received.append(contentsOf: repeatElement(0, count: room))
        unsafe received.withUnsafeMutableBytes { bytes in
            // SAFETY: as many bytes as the array has behind what came before.
            count = unsafe recv(descriptor, bytes.baseAddress?.advanced(by: before), room, 0)
        }
        let code = errno
        received.removeLast(room - max(0, count))
        if count == 0 { hasEnded = true }
        if count < 0, code != EAGAIN, code != EINTR { isGone = true }
        if !received.isEmpty { lineSince = lineSince ?? now }
    }

    /// The next whole line without its end; nil where there is none.
    func takeLine(at now: UInt64) -> [UInt8]? {
        guard let end = received.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = Array(received[..<end])
        received.removeFirst(end + 1)
        lineSince = received.isEmpty ? nil : now
        lastRequest = now
        return line
    }

    var hasLine: Bool { received.contains(UInt8(ascii: "\n")) }

    var lineIsTooLong: Bool { received.count > RequestReader.lineBytesMax && !hasLine }

    func post(_ line: [UInt8], at now: UInt64) {
        if toSend.isEmpty { sendsSince = now }
        toSend += line
        toSend.append(UInt8(ascii: "\n"))
    }

    /// The corresponding C function is `send`.
    func send(at now: UInt64) {
        while sent < toSend.count {
            let count = unsafe toSend.withUnsafeBytes { bytes in
                // SAFETY: the bytes behind those that were sent.
                unsafe Glibc.send(
                    descriptor,
                    bytes.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else {
                if errno != EAGAIN, errno != EINTR { isGone = true }
                return
            }
            sent += count
            sendsSince = now
        }
        toSend.removeAll(keepingCapacity: false)
        sent = 0
        sendsSince = nil
        goesOn(at: now)
    }

    func orderIsDone(at now: UInt64) {
        ordersCount -= 1
        goesOn(at: now)
    }

    /// What it began to send waited here, and not for it.
    private func goesOn(at now: UInt64) { if lineSince != nil { lineSince = now } }

    func leave() { isLeaving = true }

    func go() { isGone = true }

    /// It asks for nothing more, and has got all.
    var isDone: Bool {
        guard pendingBytes == 0 else { return false }
        return isLeaving || hasEnded && !hasLine && ordersCount == 0 && watch == nil
    }

    /// When it is cut off unless something comes of it; nil where nothing is awaited.
    func deadline(_ limits: InterfaceLimits) -> UInt64? {
        let stalls = [sendsSince, mayAsk(limits) ? lineSince : nil].compactMap {
            $0.map { $0 + limits.stallNanoseconds }
        }
        let isIdle = watch == nil && ordersCount == 0
        return (stalls + (isIdle ? [lastRequest + limits.idleNanoseconds] : [])).min()
    }
}
