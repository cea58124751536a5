import CardCryptography
import Foundation
import Testing

struct LockedBufferTests {
    @Test func aNewBufferIsZero() {
        let buffer = LockedBuffer(count: 33)
        #expect(bytes(of: buffer) == [UInt8](repeating: 0, count: 33))
    }

    @Test func theSourceArrayIsWiped() {
        var source: [UInt8] = [1, 2, 3, 4]
        let buffer = LockedBuffer(wiping: &source)
        #expect(source == [0, 0, 0, 0])
        #expect(bytes(of: buffer) == [1, 2, 3, 4])
    }

    @Test func aPublishedConstantIsRead() {
        #expect(bytes(of: LockedBuffer(hexadecimal: "00090A0F10FF")) == [0x00, 0x09, 0x0A, 0x0F, 0x10, 0xFF])
    }

    @Test func isEqualRefusesEverySingleBitFlipAndAnyOtherLength() {
        let pattern = Array(UInt8(7)..<23)
        #expect(areEqual(pattern, pattern))
        #expect(!areEqual(pattern, Array(pattern.dropLast())))
        #expect(!areEqual(pattern, pattern + [0]))
        for bit in 0..<128 {
            var altered = pattern
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(!areEqual(pattern, altered), "bit \(bit)")
        }
    }

    /// The kernel's count of locked memory tells whether the flag says the truth.
    @Test func theArenaSaysWhetherItIsLocked() throws {
        _ = LockedBuffer(count: 1)
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmLck:") })
        let kibibytes = try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
        #expect(LockedBuffer.arenaIsLocked == (kibibytes * 1_024 >= LockedBuffer.arenaBytesMax))
    }

    /// More keys than the arena holds at once, one after the other: each gives its memory back.
    @Test func buffersGiveTheirMemoryBack() {
        let size = 4_096
        var total = 0
        for _ in 0..<4 * LockedBuffer.arenaBytesMax / size {
            total += LockedBuffer(count: size).count
        }
        #expect(total == 4 * LockedBuffer.arenaBytesMax)
    }

    private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        var (left, right) = (left, right)
        return LockedBuffer(wiping: &left).isEqual(to: LockedBuffer(wiping: &right))
    }

    private func bytes(of buffer: borrowing LockedBuffer) -> [UInt8] {
        buffer.withSpan { span in span.indices.map { span[$0] } }
    }
}
