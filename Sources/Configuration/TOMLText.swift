private import CTOML

/// The text is not TOML.
struct TOMLFault: Error {
    let line: Int
    let reason: String
}

extension PlacedValue {
    /// The root of a text in UTF-8. The corresponding C++ function is `toml::parse`.
    static func parse(_ text: [UInt8]) throws(TOMLFault) -> PlacedValue {
        var fault = ctoml_fault()
        // SAFETY: the text lives as long as the call, which keeps nothing of it.
        let document = unsafe text.withUnsafeBytes { bytes in
            let text = unsafe ctoml_string(
                bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                count: bytes.count
            )
            return unsafe ctoml_parse(text, ConfigurationPath.depthMax, &fault)
        }
        guard let document = unsafe document else { throw TOMLFault(fault) }
        defer { unsafe ctoml_free(document) }
        // SAFETY: the values last as long as the document, and what is made of them holds copies.
        var values = unsafe UnsafeBufferPointer(start: ctoml_values(document), count: ctoml_count(document))
            .makeIterator()
        guard let root = unsafe values.next() else { preconditionFailure("a document has a root") }
        return unsafe try PlacedValue(root, &values)
    }

    /// - Parameter rest: the values that follow; what is in this one is taken from it.
    private init(
        _ read: ctoml_value,
        _ rest: inout UnsafeBufferPointer<ctoml_value>.Iterator
    ) throws(TOMLFault) {
        line = unsafe Int(read.line)
        switch unsafe read.kind {
        case ctoml_table:
            var entries: [String: PlacedValue] = [:]
            for _ in unsafe 0..<read.count {
                guard let next = unsafe rest.next() else { break }
                let key = unsafe try Self.text(next.key, line: Int(next.line))
                let entry = unsafe try PlacedValue(next, &rest)
                // Keys that differ in bytes may still be the same text; none of these is a known one.
                if let other = entries[key], other.line < entry.line { continue }
                entries[key] = entry
            }
            value = .table(entries)
        case ctoml_array:
            var elements: [PlacedValue] = []
            for _ in unsafe 0..<read.count {
                guard let next = unsafe rest.next() else { break }
                elements.append(unsafe try PlacedValue(next, &rest))
            }
            value = .list(elements)
        case ctoml_text: value = unsafe .text(try Self.text(read.text, line: line))
        case ctoml_integer: value = unsafe .integer(Int(read.integer))
        case ctoml_truth: value = unsafe .truth(read.integer != 0)
        case ctoml_number: value = unsafe .other("\(read.number)")
        case ctoml_date: value = .other("a date")
        case ctoml_time: value = .other("a time")
        case _: value = .other("a date-time")
        }
    }

    private static func text(_ string: ctoml_string, line: Int) throws(TOMLFault) -> String {
        let bytes = unsafe UnsafeRawBufferPointer(start: string.bytes, count: string.count)
        // Where a text goes on to C, it would end there.
        if unsafe bytes.contains(0) { throw TOMLFault(line: line, reason: "an escaped NUL") }
        return unsafe String(decoding: bytes, as: UTF8.self)
    }
}

extension TOMLFault {
    fileprivate init(_ fault: ctoml_fault) {
        var fault = fault
        // SAFETY: the bytes are the fault's own, and end with a zero.
        let reason = unsafe withUnsafeBytes(of: &fault.reason) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(
            line: Int(fault.line),
            reason: fault.column == 0 ? reason : "\(reason), column \(fault.column)"
        )
    }
}
