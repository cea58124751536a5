import CardCryptography
import ISO7816

/// A file beside the book, best on another medium, by which an older copy of the book is known. It is written before the book, with
/// what the book is and what it is about to be, and after it, with what it is: a power cut leaves the book as one of the two.
///
/// The file: magic "GLCM" 4, format 1, twice the number of changes 4 and the book's code 16, and a code over all before it 16 under
/// the book's key.
struct CounterMark: Equatable {
    /// The book after so many changes.
    struct Point: Equatable {
        let changes: UInt32
        let code: [UInt8]
    }

    private static let length = magic.count + 1 + 2 * (UInt32.length + StoredCode.length) + StoredCode.length
    private static let magic = Array("GLCM".utf8)
    private static let format: UInt8 = 1

    let from: Point
    let to: Point

    /// - Returns: nil for another file, or that of another book.
    init?(parsing bytes: [UInt8], key: borrowing CodeKey) {
        let end = bytes.count - StoredCode.length
        guard bytes.count == Self.length, key.code(of: Array(bytes[..<end])).isValid(Array(bytes[end...])) else {
            return nil
        }
        var reader = FieldReader(Array(bytes[..<end]))
        do throws(ParseError) {
            guard try reader.read("magic", count: Self.magic.count + 1).elementsEqual(Self.magic + [Self.format]) else {
                return nil
            }
            from = try Point(reading: &reader)
            to = try Point(reading: &reader)
        } catch {
            return nil
        }
    }

    init(from: Point, to: Point) {
        self.from = from
        self.to = to
    }

    /// As it is between two changes.
    init(at point: Point) { self.init(from: point, to: point) }

    /// Whether a mark may take the place of what has these bytes: one that may be a mark, or zeros alone.
    static func mayReplace(_ bytes: [UInt8]) -> Bool {
        bytes.count <= length && (bytes.starts(with: magic) || bytes.allSatisfy { $0 == 0 })
    }

    func bytes(_ key: borrowing CodeKey) -> [UInt8] {
        let content = Self.magic + [Self.format] + from.bytes + to.bytes
        return content + key.code(of: content).bytes
    }
}

extension CounterMark.Point {
    fileprivate init(reading reader: inout FieldReader) throws(ParseError) {
        changes = try reader.read("changes")
        code = Array(try reader.read("code", count: StoredCode.length))
    }

    fileprivate var bytes: [UInt8] { changes.bytes + code }
}
