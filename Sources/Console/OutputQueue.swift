private import CLinux
private import Glibc
private import Synchronization
package import Threads

/// Text on its way to a stream whose reader may stand still. Who posts never waits; a thread of its own writes.
///
/// A stream that is gone is opened anew where that is possible; what comes until then is lost and counted. When the stream
/// takes nothing, at most ``piecesMax`` pieces wait. What comes then is lost and counted, and the count is
/// written where the gap is; or, on a screen, the oldest is lost, because only the present counts there.
package final class OutputQueue: Sendable {
    package static let piecesMax = 1_024

    package enum Overflow: Sendable {
        case losesNewest(notice: @Sendable (Int) -> String)
        case losesOldest
    }

    private struct Piece {
        let bytes: [UInt8]
        /// That are lost with it: one, or those that it counts.
        let lines: Int
    }

    private struct Waiting {
        var pieces: [Piece] = []
        var lost = 0
        var isWriting = false
        /// The stream is gone; the next piece tries to open it anew.
        var isGone = false
        /// The stream is gone for good; everything is lost from now on.
        var isDead = false
    }

    private let stream: OutputStreamDescriptor
    private let overflow: Overflow
    private let reopen: (@Sendable () -> Int32?)?
    private let waiting = Mutex(Waiting())
    private let arrived = MonotonicSemaphore()
    private let written = MonotonicSemaphore()
    /// Of the thread that writes. A reader that stands still is waited for like anything else.
    package let progress = LoopProgress()

    /// - Parameters:
    ///   - name: the thread's, at most 15 bytes.
    ///   - descriptor: stays the caller's, and open as long as the process.
    ///   - reopen: called on the queue's own thread when the stream is gone: a descriptor that becomes the queue's, or nil as
    ///     long as there is none. It must not wait. Without it, a stream that is gone is gone for good.
    package init(
        name: String,
        descriptor: Int32,
        overflow: Overflow,
        reopen: (@Sendable () -> Int32?)? = nil
    ) {
        stream = OutputStreamDescriptor(descriptor)
        self.overflow = overflow
        self.reopen = reopen
        progress.works()
        _ = NamedThread(name) { [self] in
            writeAll()
            progress.ends()
        }
    }

    package func post(_ text: String) {
        let bytes = Array(text.utf8)
        let isTaken = waiting.withLock { waiting in
            guard !waiting.isDead else { return false }
            return add(bytes, to: &waiting)
        }
        if isTaken { arrived.signal() }
    }

    /// Returns when everything is written, or cannot be in time.
    package func drain(withinNanoseconds limit: UInt64) {
        let deadline = MonotonicClock.nanoseconds + limit
        while true {
            let isDone = waiting.withLock { $0.isDead || ($0.pieces.isEmpty && !$0.isWriting) }
            if isDone { return }
            guard written.wait(until: deadline) else { return }
        }
    }

    private func add(_ bytes: [UInt8], to waiting: inout Waiting) -> Bool {
        switch overflow {
        case .losesOldest:
            if waiting.pieces.count >= Self.piecesMax { waiting.pieces.removeFirst() }
        case .losesNewest(let notice):
            guard waiting.pieces.count < Self.piecesMax - 1 else {
                waiting.lost += 1
                return false
            }
            if waiting.lost > 0 {
                waiting.pieces.append(Piece(bytes: Array(notice(waiting.lost).utf8), lines: waiting.lost))
                waiting.lost = 0
            }
        }
        waiting.pieces.append(Piece(bytes: bytes, lines: 1))
        return true
    }

    private func writeAll() {
        var stream = stream
        while true {
            guard let piece = next() else {
                _ = arrived.wait(until: nil, showing: progress)
                continue
            }
            if stream.write(piece.bytes, showing: progress) { continue }
            guard let reopen else {
                waiting.withLock { waiting in
                    waiting.isDead = true
                    waiting.pieces = []
                }
                written.signal()
                return
            }
            let fresh = reopen().map { OutputStreamDescriptor($0) }
            let isWritten = fresh?.write(piece.bytes, showing: progress) == true
            waiting.withLock { waiting in
                waiting.isGone = !isWritten
                if !isWritten { waiting.lost += piece.lines }
            }
            guard let fresh else { continue }
            // The first one is the caller's.
            if stream != self.stream { stream.close() }
            stream = fresh
        }
    }

    /// The next piece; what was lost is said as soon as all that waited is written, if nothing came since.
    private func next() -> Piece? {
        let piece: Piece? = waiting.withLock { waiting in
            if waiting.pieces.isEmpty, waiting.lost > 0, !waiting.isGone, case .losesNewest(let notice) = overflow {
                waiting.pieces.append(Piece(bytes: Array(notice(waiting.lost).utf8), lines: waiting.lost))
                waiting.lost = 0
            }
            waiting.isWriting = !waiting.pieces.isEmpty
            return waiting.pieces.isEmpty ? nil : waiting.pieces.removeFirst()
        }
        if piece == nil { written.signal() }
        return piece
    }
}

/// A stream that is written to as far as it takes anything.
private struct OutputStreamDescriptor: Equatable, Sendable {
    private let descriptor: Int32
    private let isSocket: Bool
    /// A disk, or a terminal of somebody else's, may keep whoever writes.
    private let mayWait: Bool

    init(_ descriptor: Int32) {
        var status = stat()
        isSocket = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        let flags = fcntl(descriptor, F_GETFL)
        mayWait = flags < 0 || flags & O_NONBLOCK == 0
        self.descriptor = descriptor
    }

    func close() { _ = Glibc.close(descriptor) }

    /// Waits until everything is written.
    ///
    /// - Returns: false when the stream is gone.
    func write(_ bytes: [UInt8], showing progress: LoopProgress) -> Bool {
        var rest = bytes[...]
        defer { progress.works() }
        while !rest.isEmpty {
            if mayWait { progress.isUnwatched() } else { progress.works() }
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe isSocket
                    ? send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                    : Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                progress.waits()
                guard unsafe poll(&wait, 1, LoopProgress.waitMillisecondsMax) >= 0 || errno == EINTR else {
                    return false
                }
                if wait.revents & Int16(POLLOUT) == 0, wait.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 {
                    return false
                }
            case ENOSPC, EFBIG:
                // A full disk may have room again; this piece is lost with it.
                return true
            case _: return false
            }
        }
        return true
    }
}

/// The streams that a service was started with.
package enum StandardStreams {
    /// Makes standard error a stream that nobody can wait in: neither a thread that writes there, nor the last words of
    /// a process that ends. Whoever shares the pipe or the terminal is not affected.
    package static func keepErrorsFromWaiting() {
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFIFO, S_IFCHR:
            // Another open file description, and so with flags of its own.
            let own = unsafe open("/proc/self/fd/\(STDERR_FILENO)", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
            guard own >= 0 else { return }
            _ = dup2(own, STDERR_FILENO)
            close(own)
        case S_IFSOCK:
            // The journal's stream belongs to this unit alone.
            let flags = fcntl(STDERR_FILENO, F_GETFL)
            if flags >= 0 { _ = fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK) }
        case _: return
        }
    }
}
