package import CardCryptography
import ISO7816

/// Where the code stands in a report, and what it covers: every byte of the file but its own 32 digits. So an editor that changes
/// as much as a line's end is told.
///
/// In HTML it is the text of the element `code` with the id `code`, in the last lines of the page, in JSON the member `code`, the last one. What is typed can bring
/// neither mark into a report: HTML has `<` escaped, JSON the quotation mark.
enum ReportCode: String, CaseIterable {
    case html = "<code id=\"code\">"
    case json = "\"code\": \""

    static let digits = 2 * StoredCode.length
    /// In the place of the digits while the code is worked out.
    static let blank = String(repeating: "-", count: digits)

    private var keyMark: String {
        switch self {
        case .html: "<code id=\"key\">"
        case .json: "\"recordKey\": \""
        }
    }

    func sealed(_ text: String, under key: borrowing CodeKey) -> String {
        let bytes = Array(text.utf8)
        guard let place = place(in: bytes) else { preconditionFailure("a report has its code's mark once") }
        let code = Hex.string(key.code(of: bytes).bytes)
        return String(
            decoding: bytes[..<place.lowerBound] + Array(code.utf8) + bytes[place.upperBound...],
            as: UTF8.self
        )
    }

    /// Of the digits; nil unless the mark stands there once.
    func place(in bytes: [UInt8]) -> Range<Int>? {
        let places = bytes.places(of: Array(rawValue.utf8))
        guard places.count == 1, let start = places.first.map({ $0 + rawValue.utf8.count }),
            start + Self.digits <= bytes.count
        else { return nil }
        return start..<start + Self.digits
    }

    func keyName(in bytes: [UInt8]) -> String? {
        let places = bytes.places(of: Array(keyMark.utf8))
        guard places.count == 1, let start = places.first.map({ $0 + keyMark.utf8.count }) else { return nil }
        let name = bytes[start...].prefix(2 * TypedText.charactersMax).prefix {
            $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: "\"")
        }
        return String(validating: name, as: UTF8.self)
    }
}

extension Report {
    package static let bytesMax = 1 << 24

    package enum Check: Equatable, Sendable {
        /// As it was written, under this key.
        case authentic
        /// Changed after it was written, or written under another key.
        case edited
        /// No report of this program.
        case noReport
    }

    package static func check(_ bytes: [UInt8], _ key: borrowing CodeKey) -> Check {
        guard bytes.count <= bytesMax, let (_, place) = place(in: bytes) else { return .noReport }
        let digits = String(validating: bytes[place], as: UTF8.self)
        guard let digits, let stored = SessionWords.hexadecimal(digits), Hex.string(stored) == digits else {
            return .edited
        }
        let body = bytes[..<place.lowerBound] + Array(ReportCode.blank.utf8) + bytes[place.upperBound...]
        return key.code(of: Array(body)).isValid(stored) ? .authentic : .edited
    }

    /// Under which record key a report says that its code is; not to be believed before ``check(_:_:)``. nil for no report.
    package static func keyName(of bytes: [UInt8]) -> String? {
        guard bytes.count <= bytesMax, let (kind, _) = place(in: bytes) else { return nil }
        return kind.keyName(in: bytes)
    }

    /// Whether the bytes have the form of a report; who wrote it, ``check(_:_:)`` says.
    package static func isReport(_ bytes: [UInt8]) -> Bool { bytes.count <= bytesMax && place(in: bytes) != nil }

    private static func place(in bytes: [UInt8]) -> (ReportCode, Range<Int>)? {
        for kind in ReportCode.allCases {
            if let place = kind.place(in: bytes) { return (kind, place) }
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate func places(of mark: [UInt8]) -> [Int] {
        guard let first = mark.first, count >= mark.count else { return [] }
        return (0...count - mark.count).filter { self[$0] == first && self[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
