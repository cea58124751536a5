import CardCryptography
import ISO7816
import KeyBlocks

/// A purchase master under an AES-256 transport key, wrapped and unwrapped, beside psec (Python, over pyca/cryptography) taking
/// turns. Each opens the other's blocks.
enum KeyBlockBench {
    private static let rounds = 500
    private static let transport = "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6"
    private static let key = "0123456789ABCDEFFEDCBA9876543210"

    static func run(peers: String) -> [BenchResult] {
        let transportKey = TransportKey(.aes, LockedBuffer(hexadecimal: transport))
        let header = KeyBlockHeader(
            version: .d,
            usage: "E6",
            algorithm: "T",
            mode: "X",
            keyVersion: "01",
            exportability: "N",
            blocks: [OptionalBlock("LB", "MPK-01-01-310000000017")]
        )
        return ["wrap", "unwrap"].map { work in
            let name = "key block, \(work)"
            return .measured(name) { _ in
                let peer = try Peer(python: "key-block-peer", from: peers)
                let own = try transportKey.wrap(LockedBuffer(hexadecimal: key), header, random: SystemRandom())
                return try .inTurns(name: name, of: "psec", atMost: 0.1) {
                    var times: [UInt64] = []
                    for _ in 0..<rounds {
                        let secret = LockedBuffer(hexadecimal: key)
                        let start = benchClock()
                        if work == "wrap" {
                            _ = try transportKey.wrap(secret, header, random: SystemRandom())
                        } else {
                            _ = try transportKey.unwrap(own)
                        }
                        times.append(benchClock() - start)
                    }
                    let turn = try peer.time(work, transport, key, own, count: rounds)
                    for round in turn {
                        guard let answer = round.words.first else { throw PeerFault("psec answers nothing") }
                        try requireSame(answer, work, transportKey)
                    }
                    return (times, turn.map(\.nanoseconds))
                }
            }
        }
    }

    private static func requireSame(
        _ answer: String,
        _ work: String,
        _ transportKey: borrowing TransportKey
    ) throws {
        let isSame =
            work == "wrap"
            ? try transportKey.unwrap(answer).key.isEqual(to: LockedBuffer(hexadecimal: key)) : answer == key
        guard isSame else { throw PeerFault("psec makes another key of the block than ours") }
    }
}
