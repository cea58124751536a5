import CardApplication
import Dispenser
import FuelPassbook
import Glibc
import ISO7816
import PCSC
import Simulation
import Terminal
import Threads

/// One GET BALANCE through pcscd and the virtual reader, by our reader and by a plain C program, taking turns.
enum ExchangeBench {
    private static let exchanges = 3_000
    private static let turns = 5
    private static let name = "PC/SC exchange"
    private static let readerName = "Virtual PCD 00 00"

    static func run(peers: String) -> [BenchResult] {
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let peer = folder.path + "/pcsc-peer"
            guard let compiler = compile(peers + "/pcsc-peer.c", to: peer), compiler.wait() == 0 else {
                return [.notMeasured(name: name, why: "the C peer does not compile (gcc, libpcsclite-dev)")]
            }
            let connection = try VirtualReaderConnection.connect()
            let serving = NamedThread("card") {
                do {
                    let image = DemonstrationCard.image()
                    let card = try VirtualCard(stored: image, memory: VolatileCardMemory(image: image))
                    try connection.serve(card, over: .t1)
                } catch {
                    standardError("the virtual card ended: \(error)")
                }
            }
            defer {
                connection.stop()
                serving.join()
            }
            return try measure(peer)
        } catch {
            return [.notMeasured(name: name, why: "\(error)")]
        }
    }

    private static func measure(_ peer: String) throws -> [BenchResult] {
        try waitForCard()
        var ours: [UInt64] = []
        var theirs: [UInt64] = []
        for _ in 0..<turns {
            ours += try ownTurn()
            guard let turn = peerTurn(peer) else {
                return [.notMeasured(name: name, why: "the C peer found no card in \(readerName)")]
            }
            theirs += turn
        }
        return [
            .figure(
                name: name,
                value: median(ours) / 1_000,
                unit: "us",
                reference: median(theirs) / 1_000,
                of: "C SCardTransmit",
                atMost: 1.1
            )
        ]
    }

    /// pcscd looks into a reader now and then; the card is seen within a second.
    private static func waitForCard() throws {
        let seen = Mailbox()
        let monitor = ReaderMonitor(name: readerName) { seen.post(.reader($0)) }
        defer { monitor.stop() }
        let deadline = benchClock() + 5_000_000_000
        while let event = seen.next(until: deadline) {
            if event == .reader(.cardInserted) { return }
        }
        throw CardFault.unresponsive("no card was seen in \(readerName)")
    }

    private static func ownTurn() throws -> [UInt64] {
        let reader = PCSCReader(name: readerName)
        try reader.connect()
        defer { reader.disconnect() }
        let select = SelectApplication(aid: Demonstration.aid).apdu.bytes
        let balance = GetBalance().apdu.bytes
        var samples: [UInt64] = []
        _ = try reader.transmit(select.span)
        for _ in 0..<exchanges {
            let start = benchClock()
            let answer = try reader.transmit(balance.span)
            samples.append(benchClock() - start)
            guard answer.status == .success else { throw answer.status }
        }
        return samples
    }

    private static func peerTurn(_ peer: String) -> [UInt64]? {
        guard let child = ChildProcess([peer, readerName, "\(exchanges)"], reading: STDOUT_FILENO) else { return nil }
        var samples: [UInt64] = []
        while let line = child.line() {
            guard let sample = UInt64(line) else { return nil }
            samples.append(sample)
        }
        return child.wait() == 0 && samples.count == exchanges ? samples : nil
    }

    private static func compile(_ source: String, to program: String) -> ChildProcess? {
        let command =
            "cc -O2 -o '\(program)' '\(source)' $(pkg-config --cflags --libs libpcsclite) 2>&1"
        return ChildProcess(["sh", "-c", command], reading: STDOUT_FILENO)
    }
}
