import Codes
private import Glibc
private import Threads

/// What the interface's thread does: in each turn every client a little.
final class InterfaceTurns {
    private let listeners: [ListeningSocket]
    private let reader: RequestReader
    private let limits: InterfaceLimits
    private let board: StatusBoard
    private let mailbox: InterfaceMailbox
    private let desk: InterfaceLoop.Desk
    private var clients: [UInt64: InterfaceClient] = [:]
    private var clientsCount: UInt64 = 0
    /// A client that waits to be accepted has the process find no descriptor for it.
    private var acceptsAgainAt: UInt64 = 0
    private static let acceptAgainNanoseconds: UInt64 = 100_000_000

    init(
        _ listeners: [ListeningSocket],
        _ reader: RequestReader,
        _ limits: InterfaceLimits,
        _ board: StatusBoard,
        _ mailbox: InterfaceMailbox,
        _ desk: @escaping InterfaceLoop.Desk
    ) {
        self.listeners = listeners
        self.reader = reader
        self.limits = limits
        self.board = board
        self.mailbox = mailbox
        self.desk = desk
    }

    func run() {
        defer { mailbox.progress.ends() }
        while !mailbox.isStopping {
            let ready = wait()
            let now = MonotonicClock.nanoseconds
            board.wake.clear()
            for (reply, answer) in mailbox.takeAnswers() { deliver(answer, reply, at: now) }
            for listener in listeners where ready[listener.descriptor, default: 0] & Int16(POLLIN) != 0 {
                accept(listener, at: now)
            }
            for (number, client) in clients {
                // The limit is that of one client's lines, however many have some.
                mailbox.progress.works()
                serve(client, number, ready[client.descriptor, default: 0], at: now)
            }
            tellWatchers(at: now)
            for client in clients.values where client.pendingBytes > 0 && !client.isGone { client.send(at: now) }
            clients = clients.filter { !isOver($0.value, at: now) }
            board.watch(clients.values.contains { $0.watch != nil })
        }
    }

    /// What happened at each descriptor. The corresponding C function is `poll`.
    private func wait() -> [Int32: Int16] {
        let now = MonotonicClock.nanoseconds
        var waited = [pollfd(fd: board.wake.descriptor, events: Int16(POLLIN), revents: 0)]
        if now >= acceptsAgainAt {
            waited += listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        }
        waited += clients.values.map { pollfd(fd: $0.descriptor, events: $0.events(limits), revents: 0) }
        var deadlines = clients.values.compactMap { $0.deadline(limits) }
        if now < acceptsAgainAt { deadlines.append(acceptsAgainAt) }
        let change = board.change
        deadlines += clients.values.compactMap { client in
            guard let watch = client.watch, watch.seen < change, client.pendingBytes == 0 else { return nil }
            return watch.next
        }
        if clients.values.contains(where: { $0.hasLine && $0.mayAsk(limits) }) { deadlines.append(now) }
        let rest = deadlines.min().map { $0 > now ? ($0 - now + 999_999) / 1_000_000 : 0 }
        let timeout = min(
            rest.map { Int32(clamping: $0) } ?? LoopProgress.waitMillisecondsMax,
            LoopProgress.waitMillisecondsMax
        )
        mailbox.progress.waits()
        let count = unsafe poll(&waited, nfds_t(waited.count), timeout)
        mailbox.progress.works()
        guard count > 0 else { return [:] }
        return Dictionary(uniqueKeysWithValues: waited.filter { $0.revents != 0 }.map { ($0.fd, $0.revents) })
    }

    private func accept(_ listener: ListeningSocket, at now: UInt64) {
        let most = listener.kind == .read ? limits.readClientsMax : limits.controlClientsMax
        // So many that wait are taken in one turn.
        for _ in 0..<most {
            guard let (descriptor, peer) = listener.accept() else {
                if errno != EAGAIN { acceptsAgainAt = now + Self.acceptAgainNanoseconds }
                return
            }
            let client = InterfaceClient(descriptor, listener.kind, peer, at: now)
            let here = clients.values.count { $0.kind == listener.kind }
            guard here < limits.clientsMax(listener.kind, for: peer, ofService: geteuid()) else {
                refuse(
                    client,
                    nil,
                    RequestRefusal(.tooManyClients, "\(here) clients are here already: come again"),
                    at: now
                )
                client.send(at: now)
                continue
            }
            clientsCount += 1
            clients[clientsCount] = client
        }
    }

    private func serve(_ client: InterfaceClient, _ number: UInt64, _ ready: Int16, at now: UInt64) {
        if ready & Int16(POLLERR | POLLHUP | POLLNVAL) != 0, ready & Int16(POLLIN) == 0 || client.hasEnded {
            return client.go()
        }
        if ready & Int16(POLLIN) != 0 { client.receive(at: now) }
        for _ in 0..<limits.linesATurn where client.mayAsk(limits) {
            guard let line = client.takeLine(at: now) else { break }
            answer(line, client, number, at: now)
        }
        if client.lineIsTooLong, client.mayAsk(limits) {
            let words = "a line has at most \(RequestReader.lineBytesMax) bytes"
            refuse(client, nil, RequestRefusal(.lineTooLong, words), at: now)
            client.leave()
        }
    }

    private func answer(_ line: [UInt8], _ client: InterfaceClient, _ number: UInt64, at now: UInt64) {
        let request: Request
        do throws(RequestReader.Fault) { request = try reader.read(line, at: client.kind) } catch {
            return refuse(client, error.id, error.refusal, at: now)
        }
        switch request.command {
        case .status: post(board.status().json, "answer", request.id, client, at: now)
        case .watch:
            let (status, change) = board.status()
            board.watch(true)
            client.watch = InterfaceClient.Watch(id: request.id, seen: change, next: now)
            post(status, "answer", request.id, client, at: now)
        case .errand(let errand):
            if let refusal = desk(errand, client.peer, InterfaceLoop.Reply(client: number, id: request.id)) {
                return refuse(client, request.id, refusal, at: now)
            }
            client.orderIsGiven()
        }
    }

    private func deliver(_ answer: Result<JSON, RequestRefusal>, _ reply: InterfaceLoop.Reply, at now: UInt64) {
        guard let client = clients[reply.client] else { return }
        client.orderIsDone(at: now)
        switch answer {
        case .success(let json): post(json, "answer", reply.id, client, at: now)
        case .failure(let refusal): refuse(client, reply.id, refusal, at: now)
        }
    }

    /// Whoever has taken all that was sent before gets the latest; for any other it waits, and nothing piles up.
    private func tellWatchers(at now: UInt64) {
        let change = board.change
        for client in clients.values {
            guard let watch = client.watch, watch.seen < change, watch.next <= now, client.pendingBytes == 0 else {
                continue
            }
            let changes = board.changes(since: watch.seen)
            for event in changes.events { post(event, "event", watch.id, client, at: now) }
            client.watch?.seen = changes.change
            client.watch?.next = now + limits.eventNanoseconds
        }
    }

    private func refuse(_ client: InterfaceClient, _ id: RequestID?, _ refusal: RequestRefusal, at now: UInt64) {
        post(refusal.json, "refused", id, client, at: now)
    }

    private func post(_ json: JSON, _ name: String, _ id: RequestID?, _ client: InterfaceClient, at now: UInt64) {
        let line = JSON.object([JSON.Member("id", id?.json ?? .null), JSON.Member(name, json)])
        client.post(line.bytes, at: now)
    }

    private func isOver(_ client: InterfaceClient, at now: UInt64) -> Bool {
        if client.isGone || client.isDone { return true }
        return client.deadline(limits).map { $0 <= now } ?? false
    }
}
