import Metering

extension PulseTrace {
    /// Reads the whole text. One that was cut short has no ``end``; a last line without its line feed is left out then.
    package init(text: [UInt8]) throws(PulseTraceFault) {
        guard text.count <= Self.bytesMax else {
            throw PulseTraceFault(line: 1, reason: "expected at most \(Self.bytesMax) bytes (found \(text.count))")
        }
        var lines = TraceLines(text)
        let head = try PulseTraceHead(reading: &lines)
        self.init(head)
        while let line = lines.peek {
            lines.advance()
            if line.starts(with: "end ".utf8) {
                end = try PulseTraceEnd(line, lines.number)
                break
            }
            guard edges.count < Self.edgesMax else { throw lines.fault("at most \(Self.edgesMax) edges") }
            edges.append(try lines.edge(line, after: edges.last))
        }
        if let end {
            guard lines.peek == nil, !lines.hasRest else { throw lines.next("nothing after the line with \"end\"") }
            guard end.edges == edges.count else {
                throw lines.fault("end \(edges.count), as many edges as stand before it")
            }
        }
    }
}

extension PulseTraceHead {
    fileprivate init(reading lines: inout TraceLines) throws(PulseTraceFault) {
        guard try lines.text("the title \"\(PulseTraceText.title)\"") == PulseTraceText.title else {
            throw lines.fault("the title \"\(PulseTraceText.title)\"")
        }
        let channels = try lines.numbers("channels", count: 1, 1...2)[0]
        let levels = try lines.numbers("levels", count: 4, 0...1).map { $0 == 1 }
        let rate = try lines.numbers("edges-per-second-max", count: 1, 1...1_000_000)[0]
        var notes: [String] = []
        while let line = lines.peek, line.starts(with: "note ".utf8) {
            lines.advance()
            let note = line.dropFirst(5)
            guard notes.count < PulseTrace.notesMax, note.count <= PulseTrace.noteBytesMax,
                note.allSatisfy({ (0x20...0x7E).contains($0) })
            else {
                throw lines.fault(
                    "at most \(PulseTrace.notesMax) notes of \(PulseTrace.noteBytesMax) printable characters each"
                )
            }
            notes.append(String(decoding: note, as: UTF8.self))
        }
        self.init(
            isQuadrature: channels == 2,
            levels: PumpLevels(a: levels[0], b: levels[1], nozzle: levels[2], emergency: levels[3]),
            edgesPerSecondMax: rate,
            notes: notes
        )
    }
}

extension PulseTraceEnd {
    fileprivate init(_ line: ArraySlice<UInt8>, _ number: Int) throws(PulseTraceFault) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).dropFirst()
        let values = fields.compactMap { Int(traceDigits: $0) }
        guard values.count == fields.count, (1...2).contains(values.count) else {
            throw PulseTraceFault(line: number, reason: "expected \"end EDGES\" or \"end EDGES TRUE-COUNTS\"")
        }
        self.init(edges: values[0], trueCounts: values.count == 2 ? values[1] : nil)
    }
}

/// The lines of a text, one after the other.
private struct TraceLines {
    private let text: [UInt8]
    private var next = 0
    /// Where the line after the one that was looked at begins.
    private var following = 0
    /// Of the line that was read last.
    private(set) var number = 0

    init(_ text: [UInt8]) {
        self.text = text
        find()
    }

    /// nil at the end, and before a last line without a line feed.
    var peek: ArraySlice<UInt8>? { following > next ? text[next..<following - 1] : nil }

    var hasRest: Bool { next < text.count }

    mutating func advance() {
        next = following
        number += 1
        find()
    }

    private mutating func find() {
        var index = next
        while index < text.count, text[index] != UInt8(ascii: "\n") { index += 1 }
        following = index < text.count ? index + 1 : next
    }

    func fault(_ expected: String) -> PulseTraceFault {
        PulseTraceFault(line: max(1, number), reason: "expected \(expected)")
    }

    func next(_ expected: String) -> PulseTraceFault {
        PulseTraceFault(line: number + 1, reason: "expected \(expected)")
    }

    mutating func text(_ expected: String) throws(PulseTraceFault) -> String {
        guard let line = peek else { throw next(expected) }
        advance()
        return String(decoding: line, as: UTF8.self)
    }

    mutating func numbers(_ name: String, count: Int, _ range: ClosedRange<Int>) throws(PulseTraceFault) -> [Int] {
        let words = count == 1 ? "a number" : "\(count) numbers"
        let expected = "\"\(name)\" and \(words) from \(range.lowerBound) to \(range.upperBound)"
        guard let line = peek else { throw next(expected) }
        advance()
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let values = fields.dropFirst().compactMap { Int(traceDigits: $0) }
        guard fields.first.map({ $0.elementsEqual(name.utf8) }) == true, values.count == count,
            fields.count == count + 1, values.allSatisfy(range.contains)
        else { throw fault(expected) }
        return values
    }

    /// - Parameter last: the edge before it: a trace's edges stand in the order of their times.
    func edge(_ line: ArraySlice<UInt8>, after last: PumpEdge?) throws(PulseTraceFault) -> PumpEdge {
        let expected = "NANOSECONDS LINE NUMBER, such as \"3000000 a+ 12\", or \"end EDGES\""
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 3, fields[1].count == 2, let name = fields[1].first, let sign = fields[1].last,
            let input = PumpInput(traceName: name), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let time = Int(traceDigits: fields[0]), let number = Int(traceDigits: fields[2]),
            let sequence = UInt32(exactly: number)
        else { throw fault(expected) }
        let nanoseconds = UInt64(time)
        if let last, nanoseconds < last.nanoseconds { throw fault("edges in the order of their times") }
        return PumpEdge(input: input, rising: sign == UInt8(ascii: "+"), nanoseconds: nanoseconds, sequence: sequence)
    }
}

extension Int {
    /// nil for anything but 1 to 18 decimal digits.
    fileprivate init?(traceDigits digits: ArraySlice<UInt8>) {
        guard (1...18).contains(digits.count) else { return nil }
        var value = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        self = value
    }
}
