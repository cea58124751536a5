private import Glibc

/// One client's connection: what came and is not read yet, and what is to be sent. It belongs to the interface's thread.
final class InterfaceClient {
    let descriptor: Int32
    let kind: SocketKind
    let peer: Peer
    private var received: [UInt8] = []
    /// What stands before it in ``received`` was taken.
    private var lineStart = 0
    /// Before it in ``received`` no line ends that was not taken.
    private var looked = 0
    /// Of the next line.
    private var lineEnd: Int?
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
        if !hasEnded, receivedCount <= RequestReader.lineBytesMax, mayAsk(limits) { events |= POLLIN }
        if pendingBytes > 0 { events |= POLLOUT }
        return Int16(events)
    }

    func orderIsGiven() { ordersCount += 1 }

    /// Of what was not taken yet.
    private var receivedCount: Int { received.count - lineStart }

    /// The corresponding C function is `recv`.
    func receive(at now: UInt64) {
        let room = RequestReader.lineBytesMax + 1 - receivedCount
        guard room > 0, !hasEnded else { return }
        var count = 0
        var code: Int32 = 0
        let came = unsafe [UInt8](unsafeUninitializedCapacity: room) { bytes, cameCount in
            // SAFETY: at most as many bytes as there is room for.
            count = unsafe recv(descriptor, bytes.baseAddress, room, 0)
            code = errno
            cameCount = max(0, count)
        }
        if count == 0 { hasEnded = true }
        if count < 0, code != EAGAIN, code != EINTR { isGone = true }
        received.removeFirst(lineStart)
        looked -= lineStart
        lineEnd = lineEnd.map { $0 - lineStart }
        lineStart = 0
        received += came
        lookForLine()
        if !received.isEmpty { lineSince = lineSince ?? now }
    }

    /// Looks at each byte once. The corresponding C function is `memchr`.
    private func lookForLine() {
        guard lineEnd == nil else { return }
        lineEnd = unsafe received.withUnsafeBytes { bytes in
            guard looked < bytes.count, let start = bytes.baseAddress else { return nil }
            // SAFETY: the bytes behind those that were looked at.
            return unsafe memchr(start + looked, Int32(UInt8(ascii: "\n")), bytes.count - looked).map {
                unsafe UnsafeRawPointer($0) - start
            }
        }
        looked = lineEnd.map { $0 + 1 } ?? received.count
    }

    /// The next whole line without its end; nil where there is none.
    func takeLine(at now: UInt64) -> [UInt8]? {
        guard let end = lineEnd else { return nil }
        let line = Array(received[lineStart..<end])
        lineStart = end + 1
        lineEnd = nil
        lookForLine()
        lineSince = receivedCount == 0 ? nil : now
        lastRequest = now
        return line
    }

    var hasLine: Bool { lineEnd != nil }

    var lineIsTooLong: Bool { receivedCount > RequestReader.lineBytesMax && !hasLine }

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
