import ISO7816
import Testing

private struct Reading: Equatable {
    let kind: UInt8
    let place: [UInt8]
    let count: UInt16

    init(kind: UInt8, place: [UInt8], count: UInt16) throws(ParseError) {
        guard kind < 0x10 else { throw .invalid("kind") }
        self.kind = kind
        self.place = place
        self.count = count
    }

    static let layout = MessageLayout(
        Self.init,
        Field("kind", \.kind),
        Field("place", count: 3, \.place),
        Field("count", \.count)
    )
}

struct MessageLayoutTests {
    private let bytes: [UInt8] = [0x01, 0xA0, 0xA1, 0xA2, 0x12, 0x34]

    @Test func whatIsParsedIsWrittenAgain() throws {
        let reading = try Reading.layout.parse(bytes)
        #expect(try reading == Reading(kind: 1, place: [0xA0, 0xA1, 0xA2], count: 0x1234))
        #expect(Reading.layout.bytes(of: reading) == bytes)
        #expect(Reading.layout.length == 6)
    }

    @Test func theFieldThatIsCutShortIsNamed() {
        for (count, name) in [(0, "kind"), (1, "place"), (3, "place"), (4, "count"), (5, "count")] {
            #expect(throws: ParseError.truncated(name)) { try Reading.layout.parse(Array(bytes.prefix(count))) }
        }
    }

    @Test func bytesLeftOverAreRefused() {
        #expect(throws: ParseError.wrongLength("message")) { try Reading.layout.parse(bytes + [0]) }
    }

    @Test func aTraceNamesEachFieldAndWhyBytesAreNoMessage() {
        #expect(Reading.layout.words(of: bytes) == ["kind 01", "place A0A1A2", "count 1234"])
        #expect(Reading.layout.words(of: [0x10] + bytes.dropFirst()) == ["kind has an invalid value: 10A0A1A21234"])
        #expect(Reading.layout.words(of: [0x01]) == ["place is cut short: 01"])
    }
}
