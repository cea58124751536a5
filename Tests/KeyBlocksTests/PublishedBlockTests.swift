import CardCryptography
import Foundation
import KeyBlocks
import Testing

/// Blocks that others published, each with its transport key and what is in it.
@Suite struct PublishedBlockTests {
    /// None where the file cannot be read.
    static let published: [PublishedBlock] = {
        do { return try PublishedBlock.all() } catch { return [] }
    }()

    @Test func allAreRead() {
        #expect(Self.published.count == 16)
    }

    @Test(arguments: published)
    func holdsThePublishedKey(_ published: PublishedBlock) throws {
        let unwrapped = try published.transportKey().unwrap(published.block)
        let isThePublished = unwrapped.key.isEqual(to: LockedBuffer(hexadecimal: published.key))
        #expect(isThePublished)
        #expect(String(unwrapped.header.version.rawValue) == published.block.prefix(1))
    }

    /// What the published header and key are wrapped into opens again to both.
    @Test(arguments: published)
    func isWrappedAgainToTheSameHeader(_ published: PublishedBlock) throws {
        let transport = published.transportKey()
        let first = try transport.unwrap(published.block)
        let again = try transport.wrap(first.key, first.header, random: SystemRandom())
        let second = try transport.unwrap(again)
        #expect(second.header == first.header)
        let isSame = second.key.isEqual(to: first.key)
        #expect(isSame)
    }

    @Test(arguments: published)
    func hasThePublishedCheckValue(_ published: PublishedBlock) throws {
        guard published.checkValue != "-" else { return }
        let unwrapped = try published.transportKey().unwrap(published.block)
        let isAES = unwrapped.header.algorithm == "A"
        guard !isAES || published.checkValue.count == 10 else { return }
        let value = BlockCipherKey(isAES ? .aes : .tripleDES, unwrapped.key).checkValue()
        #expect(value == hexadecimal(published.checkValue))
    }
}

struct PublishedBlock: CustomTestStringConvertible, Sendable {
    let source: String
    let transport: String
    let block: String
    let key: String
    let checkValue: String

    var testDescription: String { "\(source) \(block.prefix(16))" }

    func transportKey() -> TransportKey {
        let cipher: BlockCipherKey.Cipher = block.hasPrefix("D") ? .aes : .tripleDES
        return TransportKey(cipher, LockedBuffer(hexadecimal: transport))
    }

    static func all() throws -> [PublishedBlock] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/key-blocks.txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
            let fields = $0.split(separator: "|").map(String.init)
            try #require(fields.count == 5)
            return PublishedBlock(
                source: fields[0],
                transport: fields[1],
                block: fields[2],
                key: fields[3],
                checkValue: fields[4]
            )
        }
    }
}

func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { $0 >= UInt8(ascii: "A") ? $0 - 55 : $0 - 48 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
