import CardCryptography
import FuelPassbook
import ISO7816

/// Derivation of DPK, SESPK and one MAC: what step 1.3 costs, against the limit of 5 us, and beside libcrypto called from C,
/// taking turns. The codes must be the same ones.
enum CryptographyBench {
    private static let turns = 5
    private static let rounds = 4_000
    private static let name = "derive + SESPK + MAC1"

    static func run(peers: String) -> [BenchResult] {
        [
            .figure(
                name: name,
                value: median((0..<turns).flatMap { _ in ownTurn().times }) / 1_000,
                unit: "us",
                reference: 5,
                of: "limit",
                atMost: 1
            ),
            .measured(name) { folder in
                let peer = try Peer("key-peer", from: peers, library: "libcrypto", into: folder)
                return try .inTurns(
                    name: name,
                    of: "C, libcrypto",
                    atMost: 2,
                    because: "five buffers of locked memory cost as much as the arithmetic"
                ) {
                    let own = ownTurn()
                    let turn = try peer.time(count: rounds)
                    guard turn.map(\.words) == own.codes.map({ [Hex.string($0.bytes)] }) else {
                        throw PeerFault("key-peer.c makes other codes than ours")
                    }
                    return (own.times, turn.map(\.nanoseconds))
                }
            },
        ]
    }

    private static func ownTurn() -> (times: [UInt64], codes: [MAC]) {
        let master = DoubleLengthKey(MasterKey.purchase.demonstration)
        let card = Demonstration.applicationFile.asn
        var times: [UInt64] = []
        var codes: [MAC] = []
        for round in 0..<UInt32(rounds) {
            let start = benchClock()
            let purchase = PurchaseKey(master: master, card: card)
            let session = purchase.petrolSession(icc: ICCRandom(round), ctc: CTC(1), ttc: TTC(round))
            let mac = session.mac1(balance: Demonstration.balance, terminal: Demonstration.terminal)
            times.append(benchClock() - start)
            codes.append(mac)
        }
        return (times, codes)
    }
}
