import CardCryptography
import KeyBlocks
import Testing

/// What was not made with the transport key, as it stands, holds no key.
@Suite struct ForgedBlockTests {
    @Test(arguments: PublishedBlockTests.published)
    func everyChangedCharacterIsRefused(_ published: PublishedBlock) throws {
        let transport = published.transportKey()
        let text = Array(published.block.utf8)
        guard text.count < 300 else { return }
        for index in text.indices {
            for bit in 0..<7 {
                var changed = text
                changed[index] ^= 1 << bit
                try expectRefusal(of: changed, transport)
            }
        }
    }

    @Test(arguments: PublishedBlockTests.published)
    func everyBeginningAndEveryAdditionIsRefused(_ published: PublishedBlock) throws {
        let transport = published.transportKey()
        let text = Array(published.block.utf8)
        for count in 0..<text.count { try expectRefusal(of: Array(text.prefix(count)), transport) }
        for tail in ["0", "00", "\n", "00000000", String(repeating: "0", count: 32)] {
            try expectRefusal(of: text + Array(tail.utf8), transport)
        }
    }

    @Test func lowerCaseIsRefused() throws {
        let published = try #require(try PublishedBlock.all().first { $0.block.hasPrefix("D0112P0A") })
        try expectRefusal(of: Array(published.block.lowercased().utf8), published.transportKey())
        let body = published.block.prefix(16) + published.block.dropFirst(16).lowercased()
        try expectRefusal(of: Array(body.utf8), published.transportKey())
    }

    @Test func anotherKeyIsAnotherCode() throws {
        let published = try #require(try PublishedBlock.all().first { $0.block.hasPrefix("D0112P0A") })
        let other = TransportKey(.aes, SystemRandom().secret(32))
        #expect(throws: KeyBlockError.codeIsWrong) { _ = try other.unwrap(published.block) }
        let des = TransportKey(.tripleDES, SystemRandom().secret(16))
        #expect(throws: KeyBlockError.cipher(.d)) { _ = try des.unwrap(published.block) }
    }

    private func expectRefusal(of text: [UInt8], _ transport: borrowing TransportKey) throws {
        let block = String(decoding: text, as: UTF8.self)
        do throws(KeyBlockError) {
            _ = try transport.unwrap(block)
            Issue.record("taken: \(block)")
        } catch {}
    }
}
