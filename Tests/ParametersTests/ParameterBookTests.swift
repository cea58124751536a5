import CardCryptography
import FuelPassbook
import Metering
import Parameters
import Quantities
import Records
import TestSeals
import Testing

@Suite struct ParameterBookTests {
    /// Hashes by Python's hashlib, codes by its hmac, the key of the codes by OpenSSL's tool.
    private static let known = #"""
        greylock-parameters 1 310000000017

        set 1
        side 1
        version 1
        calibration_counter 1
        configuration_counter 1
        board 10000000a1b2c3d4
        date 20260921141320
        author 李 Na
        second Wang Lei
        reason first set
        meter_serial M-1
        pulser_serial P 1
        channels 2
        security alarm
        pulses_per_litre 100
        calibration 5:1000000 50:1001200
        litres_per_minute_min 5
        litres_per_minute_max 90
        minimum_centilitres 200
        slow_flow_centilitres 50
        reverse_centilitres_max 20
        pulser_faults_max 10
        hash BB46BD96A4EADDA2A0E3FE143D28F173A0608411E0CA5362CA5085423EC15043
        code 1.2.586CB1BB419CFCF9E6DC8C891A603B9B

        set 2
        side 2
        version 1
        calibration_counter 1
        configuration_counter 1
        board 10000000a1b2c3d4
        date 20260921141321
        author 李 Na
        second Wang Lei
        reason 第一套 = "x"
        meter_serial M-2
        pulser_serial P 2
        channels 1
        pulses_per_litre 50
        calibration 50:1000000
        litres_per_minute_min 4
        litres_per_minute_max 80
        minimum_centilitres 500
        slow_flow_centilitres 0
        reverse_centilitres_max 1
        pulser_faults_max 0
        hash 585D23CB80110DCBC2DE2992BCEA5CE509E6A267BBF69D748C0D451EE8C91E55
        code 1.2.BDE71EA7A63EBEDFA75E8423DE1FEBE8

        set 3
        side 1
        version 2
        calibration_counter 2
        configuration_counter 1
        board 10000000a1b2c3d4
        date 20260921141322
        author 李 Na
        second Wang Lei
        reason calibrated
        meter_serial M-1
        pulser_serial P 1
        channels 2
        security alarm
        pulses_per_litre 100
        calibration 5:1000000 50:1000900
        litres_per_minute_min 5
        litres_per_minute_max 90
        minimum_centilitres 200
        slow_flow_centilitres 50
        reverse_centilitres_max 20
        pulser_faults_max 10
        hash 153E897A7F42AE3A291D2FD5BC2656FBF947EFF4A823EC30C950C9153EECFE79
        code 1.2.03182430581E0AA6CAC6F9E2FDC90355

        """#

    private static let terminal = TerminalID(0x3100_0000_0017)
    private static let boardText = "10000000a1b2c3d4"
    private static let first: Int64 = 1_790_000_000
    private static let pump = MeterParameters(
        meterSerial: "M-1",
        pulserSerial: "P 1",
        pulser: .quadrature(.alarm),
        pulsesPerLitre: 100,
        points: [
            CalibrationPoint(litresPerMinute: 5, factorMillionths: 1_000_000),
            CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_001_200),
        ],
        litresPerMinute: 5...90,
        minimumQuantity: Volume(centilitres: 200),
        reverseCentilitresMax: 20,
        pulserFaultsMax: 10,
        slowFlow: Volume(centilitres: 50)
    )

    private static func key(_ version: UInt8 = 2) -> ParameterKey {
        let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(version))
        let record = RecordKey(LockedBuffer(hexadecimal: "C1D2E3F405162738495A6B7C8D9EAFB0"), as: reference)
        return ParameterKey(record.parameterKey(), as: reference)
    }

    private static func change(_ reason: String, after seconds: Int64 = 0) throws -> ParameterChange {
        let date = TransactionTime(utc: first + seconds)
        return try ParameterChange(author: "李 Na", second: "Wang Lei", reason: reason, date: date)
    }

    private let board: BoardSerial

    init() throws { board = try #require(BoardSerial(Self.boardText)) }

    private func book() throws -> ParameterBook {
        var book = ParameterBook(of: Self.terminal)
        try book.add(Self.pump, of: 1, on: board, by: Self.change("first set"), under: Self.key())
        let other = MeterParameters(
            meterSerial: "M-2",
            pulserSerial: "P 2",
            pulser: .single,
            pulsesPerLitre: 50,
            points: [CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_000)],
            litresPerMinute: 4...80,
            minimumQuantity: Volume(centilitres: 500),
            reverseCentilitresMax: 1,
            pulserFaultsMax: 0,
            slowFlow: .zero
        )
        try book.add(other, of: 2, on: board, by: Self.change("第一套 = \"x\"", after: 1), under: Self.key())
        var calibrated = Self.pump
        calibrated.points[1] = CalibrationPoint(litresPerMinute: 50, factorMillionths: 1_000_900)
        try book.add(calibrated, of: 1, on: board, by: Self.change("calibrated", after: 2), under: Self.key())
        return book
    }

    @Test func textIsTheKnownOne() throws {
        let book = try book()
        #expect(book.text == Self.known)
        let read = try ParameterBook(parsing: Array(Self.known.utf8))
        #expect(read.sets == book.sets && read.terminal == Self.terminal)
        #expect(read.sets.map(Self.key().isAuthentic) == [true, true, true])
        #expect(read.newest(of: 1)?.version == 2 && read.newest(of: 2)?.number == 2 && read.newest(of: 3) == nil)
    }

    @Test func eachByteThatIsChangedIsNamed() throws {
        let whole = Array(try book().text.utf8)
        for index in whole.indices {
            for bit in [UInt8(0x01), 0x10, 0x80] {
                var bytes = whole
                bytes[index] ^= bit
                let read: ParameterBook
                do { read = try ParameterBook(parsing: bytes) } catch { continue }
                let authentic = read.sets.map(Self.key().isAuthentic)
                #expect(authentic.contains { $0 != true } || read.terminal != Self.terminal, "byte \(index), \(bit)")
            }
        }
    }

    @Test func eachTextThatIsCutShortIsRefusedOrEndsBehindASet() throws {
        let book = try book()
        let whole = Array(book.text.utf8)
        for count in whole.indices {
            let read: ParameterBook
            do { read = try ParameterBook(parsing: Array(whole.prefix(count))) } catch { continue }
            #expect(read.sets == Array(book.sets.prefix(read.sets.count)) && read.sets.count < 3)
            #expect(read.text.utf8.count == count)
        }
    }

    @Test(arguments: ParameterField.allCases) func eachFieldRaisesItsCounter(_ field: ParameterField) throws {
        var book = try book()
        let last = try #require(book.newest(of: 1))
        var values = last.meter.values
        values[field] =
            switch field {
            case .meterSerial, .pulserSerial: .text("another")
            case .security: .text("correct")
            case .calibration: .points([CalibrationPoint(litresPerMinute: 5, factorMillionths: 1_000_000)])
            case .channels: .integer(1)
            case _: .integer(7)
            }
        if field == .channels { values[.security] = nil }
        let set = try book.add(MeterParameters(values), of: 1, on: board, by: Self.change("test"), under: Self.key())
        let calibrates = [.channels, .pulsesPerLitre, .calibration].contains(field)
        let configures = ![.pulsesPerLitre, .calibration].contains(field)
        #expect(set.counters.calibration == last.counters.calibration + (calibrates ? 1 : 0))
        #expect(set.counters.configuration == last.counters.configuration + (configures ? 1 : 0))
        #expect(try ParameterBook(parsing: Array(book.text.utf8)).sets == book.sets)
    }

    @Test func whatChangesNothingIsRefusedButForAnotherBoardOrKey() throws {
        var book = try book()
        let meter = try #require(book.newest(of: 1)?.meter)
        let change = try Self.change("again")
        #expect(throws: ParameterProblem("side 1 has these parameters already, as version 2")) {
            try book.add(meter, of: 1, on: board, by: change, under: Self.key())
        }
        let other = try #require(BoardSerial("other-board"))
        #expect(try book.add(meter, of: 1, on: other, by: change, under: Self.key()).counters.configuration == 2)
        let set = try book.add(meter, of: 1, on: other, by: change, under: Self.key(3))
        #expect(set.counters == ParameterSet.Counters(calibration: 2, configuration: 3))
    }

    @Test(arguments: ["li na", "", "A\u{1B}", "李 NA ", "李na", "李, Na."]) func secondPersonIsAnother(
        _ name: String
    ) throws {
        let author = name == "li na" ? "Li Na" : "李 Na"
        #expect(throws: ParameterProblem.self) {
            try ParameterChange(author: author, second: name, reason: "x", date: TransactionTime(utc: Self.first))
        }
    }

    @Test func nothingThatSomebodyDoesToABookSells() throws {
        var walk = SealWalk()
        #expect(try walk.run() == nil)
        #expect(walk.ways == 10)
    }

    @Test func clockHasToBeSet() {
        #expect(throws: ParameterProblem("the clock is not set: set it first")) {
            try ParameterChange(author: "A", second: "B", reason: "x", date: .unknown)
        }
    }
}
