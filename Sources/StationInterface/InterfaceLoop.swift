private import Glibc
private import Synchronization
package import Threads

/// The service's two sockets, on a thread of their own that waits for nobody: what is to be done elsewhere is given away, and
/// answered when it is done (<doc:0061-line-protocol>).
package final class InterfaceLoop: Sendable {
    /// To whom an order's answer goes.
    package struct Reply: Sendable {
        let client: UInt64
        let id: RequestID
    }

    /// Takes what is not answered at once, on the interface's thread, and returns at once: why it does not take it, or nil.
    package typealias Desk = @Sendable (_ errand: Errand, _ peer: Peer, _ reply: Reply) -> RequestRefusal?

    private let board: StatusBoard
    private let mailbox = InterfaceMailbox()
    private let thread: Mutex<NamedThread?> = Mutex(nil)

    /// Listens when this returns.
    package init(
        read: SocketPlace?,
        control: SocketPlace?,
        limits: InterfaceLimits = InterfaceLimits(),
        _ board: StatusBoard,
        desk: @escaping Desk
    ) throws(SocketFault) {
        self.board = board
        var listeners: [ListeningSocket] = []
        if let read { listeners.append(try ListeningSocket(read, .read)) }
        if let control { listeners.append(try ListeningSocket(control, .control)) }
        let reader: RequestReader
        do { reader = try RequestReader() } catch { throw SocketFault("requests cannot be read: \(error)") }
        mailbox.progress.works()
        let running = NamedThread("interface") { [listeners, mailbox] in
            InterfaceTurns(listeners, reader, limits, board, mailbox, desk).run()
        }
        thread.withLock { $0 = running }
    }

    deinit { stop() }

    /// Of an errand, once. A client that is gone meanwhile gets nothing.
    package func answer(_ reply: Reply, _ answer: Result<JSON, RequestRefusal>) {
        mailbox.post(reply, answer)
        board.wake.ring()
    }

    /// Cuts all clients off, and returns when the sockets are gone. Stopped already, it does nothing.
    package func stop() {
        let running = thread.withLock { $0.take() }
        guard let running else { return }
        mailbox.requestStop()
        board.wake.ring()
        running.join()
    }

    package var progress: LoopProgress { mailbox.progress }
}

/// What other threads leave for the interface's.
final class InterfaceMailbox: Sendable {
    private struct Content {
        var answers: [(reply: InterfaceLoop.Reply, answer: Result<JSON, RequestRefusal>)] = []
        var isStopping = false
    }

    private let content = Mutex(Content())
    let progress = LoopProgress()

    func post(_ reply: InterfaceLoop.Reply, _ answer: Result<JSON, RequestRefusal>) {
        content.withLock { $0.answers.append((reply, answer)) }
    }

    func requestStop() { content.withLock { $0.isStopping = true } }

    var isStopping: Bool { content.withLock(\.isStopping) }

    func takeAnswers() -> [(reply: InterfaceLoop.Reply, answer: Result<JSON, RequestRefusal>)] {
        content.withLock { content in
            defer { content.answers = [] }
            return content.answers
        }
    }
}
