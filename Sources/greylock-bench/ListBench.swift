import FuelPassbook
import ISO7816
import Station

/// Whether a card is on a list of a million blocked ones, beside the millisecond that a visit may wait for it. Each lookup is of another
/// card, half of them on the list.
enum ListBench {
    private static let name = "blocked card among 1,000,000"
    private static let cards = 1_000_000
    private static let rounds = 1_000
    private static let limitNanoseconds: UInt64 = 1_000_000

    static func run() -> [BenchResult] {
        [
            .measured(name) { folder in
                var numbers: [UInt8] = []
                numbers.reserveCapacity(cards * BlockedCardsFile.numberBytesCount)
                for card in 0..<cards { numbers += number(2 * card) }
                let list = try BlockedCardsFile.replace(folder.path + "/list", with: numbers)
                var times: [UInt64] = []
                for round in 0..<rounds {
                    let card = try ApplicationSerialNumber(parsing: number(round * 1_999))
                    let begun = benchClock()
                    let isThere = try list.contains(card)
                    times.append(benchClock() - begun)
                    guard isThere == (round * 1_999).isMultiple(of: 2) else { throw PeerFault("the list lies") }
                }
                return .figure(
                    name: name,
                    value: median(times) / 1_000,
                    unit: "us",
                    reference: Double(limitNanoseconds) / 1_000,
                    of: "a visit's patience",
                    atMost: 1
                )
            }
        ]
    }

    /// In BCD.
    private static func number(_ card: Int) -> [UInt8] {
        var rest = card
        var bytes: [UInt8] = [0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0]
        for place in stride(from: 9, through: 6, by: -1) {
            bytes[place] = UInt8(rest % 10 + 16 * (rest / 10 % 10))
            rest /= 100
        }
        return bytes
    }
}
