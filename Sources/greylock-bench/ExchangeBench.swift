import CardApplication
import Console
import Dispenser
import FuelPassbook
import Glibc
import ISO7816
import PCSC
import Station
import Threads
import VirtualCards

/// One GET BALANCE through pcscd and the virtual reader, by our reader and by a plain C program, taking turns.
enum ExchangeBench {
    private static let exchanges = 3_000
    private static let name = "PC/SC exchange"
    private static let readerName = "Virtual PCD 00 00"

    static func run(peers: String) -> [BenchResult] {
        let exchange = BenchResult.measured(name) { folder in
            let peer = try Peer("pcsc-peer", from: peers, library: "libpcsclite", into: folder)
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
            try waitForCard()
            return try .inTurns(name: name, of: "C SCardTransmit", atMost: 1.1) {
                let ours = try ownTurn()
                return (ours, try peer.time(readerName, count: exchanges).map(\.nanoseconds))
            }
        }
        return [exchange]
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
        let balance = GetBalance().apdu.bytes
        var samples: [UInt64] = []
        let refusal = try Selection.select(Demonstration.aid) { try reader.transmit($0.bytes.span) }
        if let refusal { throw refusal }
        for _ in 0..<exchanges {
            let start = benchClock()
            let answer = try reader.transmit(balance.span)
            samples.append(benchClock() - start)
            guard answer.status == .success else { throw answer.status }
        }
        return samples
    }
}
