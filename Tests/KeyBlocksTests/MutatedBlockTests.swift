import CardCryptography
import Foundation
import KeyBlocks
import Testing

/// Blocks that were edited with their form in mind: lengths, counts and kinds that fit the text again, and characters that none has.
@Suite struct MutatedBlockTests {
    /// `GREYLOCK_BLOCK_EDITS=1000000` asks for more.
    private static let count = Int(ProcessInfo.processInfo.environment["GREYLOCK_BLOCK_EDITS"] ?? "") ?? 8_000

    @Test(arguments: [UInt64(1), 2])
    func noneIsTakenAndNoneTraps(_ seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        let published = try PublishedBlock.all()
        let des = TransportKey(.tripleDES, SystemRandom().secret(16))
        let aes = TransportKey(.aes, SystemRandom().secret(32))
        for number in 0..<Self.count / 2 {
            switch number % 4 {
            case 0:
                let one = published[random.below(published.count)]
                expectRefusal(of: edited(one.block, &random), but: one.block, one.transportKey())
            case 1:
                let block = try aes.wrap(SystemRandom().secret(32), header(.d, &random), random: SystemRandom())
                expectRefusal(of: edited(block, &random), but: block, aes)
            case let rest:
                let version: KeyBlockHeader.Version = rest == 2 ? .b : random.below(2) == 0 ? .a : .c
                let block = try des.wrap(SystemRandom().secret(16), header(version, &random), random: SystemRandom())
                expectRefusal(of: edited(block, &random), but: block, des)
            }
        }
    }

    /// Also with optional blocks of every length that needs four digits, and of none.
    @Test func whatIsWrappedOpensToTheSameHeader() throws {
        var random = SeededRandom(state: 3)
        let aes = TransportKey(.aes, SystemRandom().secret(32))
        for _ in 0..<200 {
            let header = header(.d, &random)
            let opened = try aes.unwrap(aes.wrap(SystemRandom().secret(24), header, random: SystemRandom()))
            #expect(opened.header == header && opened.key.count == 24)
        }
    }

    private func header(_ version: KeyBlockHeader.Version, _ random: inout SeededRandom) -> KeyBlockHeader {
        let ids = ["LB", "TC", "KC", "KP", "ZZ"].prefix(random.below(6))
        let lengths = [0, 1, 9, 10, 11, 12, 250, 251, 252, 253, 256, 1_000]
        return KeyBlockHeader(
            version: version,
            usage: "K1",
            algorithm: "A",
            mode: "B",
            exportability: "N",
            blocks: ids.map {
                OptionalBlock(
                    $0,
                    String(
                        repeating: " ~A0".randomElement(using: &random)!,
                        count: lengths.randomElement(using: &random)!
                    )
                )
            }
        )
    }

    private func edited(_ block: String, _ random: inout SeededRandom) -> [UInt8] {
        var text = Array(block.utf8)
        let digits = Array("0123456789ABCDEFabcf".utf8)
        for _ in 0...random.below(3) {
            let head = min(text.count, 64)
            guard head > 16 else { break }
            switch random.below(10) {
            case 0: text[random.below(head)] = digits[random.below(digits.count)]
            case 1: text[random.below(text.count)] = UInt8(random.below(256))
            case 2: text.replaceSubrange(12..<14, with: two(random.below(100)))
            case 3: text.insert(contentsOf: random.below(2) == 0 ? Array("PB04".utf8) : Array("LB00".utf8), at: 16)
            case 4: text.insert(contentsOf: Array("ZZ000\(random.below(5))0000000".utf8), at: 16)
            case 5: text.removeSubrange(random.below(text.count)...)
            case 6:
                text.insert(
                    contentsOf: Array(["0", "é", "\r\n", "\u{301}", "00000000", "\0"][random.below(6)].utf8),
                    at: random.below(text.count)
                )
            case 7: text[0] = Array("ABCDE".utf8)[random.below(5)]
            case 8: text.swapAt(random.below(text.count), random.below(text.count))
            case _: text.removeSubrange(16..<16 + random.below(text.count - 16))
            }
            guard text.count > 4, text.count < 10_000, random.below(8) > 0 else { continue }
            let length = String(text.count)
            text.replaceSubrange(1..<5, with: Array((String(repeating: "0", count: 4 - length.count) + length).utf8))
        }
        return text
    }

    private func two(_ number: Int) -> [UInt8] { Array(((number < 10 ? "0" : "") + String(number)).utf8) }

    private func expectRefusal(of text: [UInt8], but block: String, _ transport: borrowing TransportKey) {
        let edited = String(decoding: text, as: UTF8.self)
        guard edited != block else { return }
        _ = KeyBlockHeader.stated(in: edited)
        do throws(KeyBlockError) {
            _ = try transport.unwrap(edited)
            Issue.record("taken: \(edited)")
        } catch {}
    }
}

/// SplitMix64, so that a run can be repeated.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
