import FuelPassbook
import ISO7816
import Quantities
import Records

// One writing of all totals: head 24, an entry of 17 bytes for each nozzle, code 16. Head: magic "GLTO" 4, format 1, number of
// entries 1, zeros 2, terminal id 6, zeros 2, sequence 8. Entry: nozzle 1, microlitres 8, fen 8. Numbers are big-endian. The code is the
// stored half of an HMAC over all before it, under a key that is drawn from the terminal's record key.

/// What was written at one turn.
struct TotalsImage: Equatable {
    static let magic = Array("GLTO".utf8)
    private static let format: UInt8 = 1
    private static let headLength = 24
    private static let entryLength = 17
    private static let codeLength = 16
    static let sequenceEnd: UInt64 = 1 << 60
    private static let numberMax: UInt64 = 1 << 60

    let sequence: UInt64
    let totals: [NozzleTotal]

    static func length(nozzles: Int) -> Int { headLength + nozzles * entryLength + codeLength }

    /// What stands in a slot.
    enum Slot: Equatable {
        /// All ones or all zeros, as a chip comes.
        case blank
        case image(TotalsImage)
        /// Written by this program, and not so by this terminal; why.
        case unauthentic(String)
        case foreign
    }

    static func slot(_ bytes: [UInt8], _ key: RecordKey, _ terminal: TerminalID) -> Slot {
        let isBlank = [UInt8.min, .max].contains { blank in bytes.prefix(headLength).allSatisfy { $0 == blank } }
        if isBlank { return .blank }
        guard bytes.starts(with: magic) else { return .foreign }
        let count = Int(bytes[5])
        let end = headLength + count * entryLength
        guard bytes[4] == format, end + codeLength <= bytes.count else { return .unauthentic("it is damaged") }
        let writer: TerminalID
        do throws(ParseError) { writer = try TerminalID(bytes: bytes[8..<14]) } catch {
            return .unauthentic("it is damaged")
        }
        guard writer == terminal else { return .unauthentic("it belongs to terminal \(writer)") }
        let code = Array(bytes[end..<end + codeLength])
        guard key.isRight(code, ofTotals: Array(bytes.prefix(end)), of: terminal) else {
            return .unauthentic("it is not what this terminal wrote: its code is wrong")
        }
        guard let image = TotalsImage(coded: bytes, count: count) else { return .unauthentic("it is damaged") }
        return .image(image)
    }

    init(sequence: UInt64, totals: [NozzleTotal]) {
        self.sequence = sequence
        self.totals = totals.sorted { $0.nozzle < $1.nozzle }
    }

    /// nil for numbers that no terminal reaches.
    private init?(coded bytes: [UInt8], count: Int) {
        sequence = Self.number(bytes, 16)
        guard sequence < Self.sequenceEnd else { return nil }
        var totals: [NozzleTotal] = []
        for index in 0..<count {
            let place = Self.headLength + index * Self.entryLength
            let (volume, fen) = (Self.number(bytes, place + 1), Self.number(bytes, place + 9))
            guard volume <= Self.numberMax, fen <= Self.numberMax else { return nil }
            totals.append(
                NozzleTotal(nozzle: Int(bytes[place]), volume: Volume(microlitres: Int(volume)), fen: Int(fen))
            )
        }
        self.totals = totals
    }

    func bytes(_ key: RecordKey, _ terminal: TerminalID) -> [UInt8] {
        var bytes = Self.magic + [Self.format, UInt8(totals.count), 0, 0] + terminal.bytes + [0, 0]
        Self.append(sequence, to: &bytes)
        for total in totals {
            bytes.append(UInt8(total.nozzle))
            Self.append(UInt64(total.volume.microlitres), to: &bytes)
            Self.append(UInt64(total.fen), to: &bytes)
        }
        return bytes + key.code(ofTotals: bytes, of: terminal)
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in (0..<8).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(shift)))) }
    }

    private static func number(_ bytes: [UInt8], _ place: Int) -> UInt64 {
        bytes[place..<place + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
