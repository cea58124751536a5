import Codes
private import Files
private import Glibc
import Quantities
import Threads

/// A configuration's text while it is read: what it says, which keys were asked for, and the first problem.
///
/// A read that finds a problem notes it and goes on with a value that stands in; ``read(_:)`` throws then, so nothing
/// made of such a value is ever handed out.
package final class ConfigurationDocument {
    static let sizeMax = 65_536

    let file: String
    private let content: PlacedValue
    private var known: Set<ConfigurationPath> = []
    /// Known keys whose tables nobody looked into.
    private var skipped: Set<ConfigurationPath> = []
    private var problem: Problem?

    /// What is written wrongly comes before what is missing, because a misspelt key is both; then by lines.
    private struct Problem {
        let error: ConfigurationError
        let isMissing: Bool

        func precedes(_ other: Problem) -> Bool {
            isMissing == other.isMissing ? error.line < other.error.line : other.isMissing
        }
    }

    /// - Throws: when the bytes are not TOML.
    package init(file: String, bytes: [UInt8]) throws(ConfigurationError) {
        self.file = file
        func failure(_ key: String, line: Int, _ expected: String, found: String) -> ConfigurationError {
            ConfigurationError(
                file: file,
                line: line,
                key: key,
                expected: expected,
                found: found,
                code: key == "syntax" ? .configurationSyntax : .configurationWrong
            )
        }
        guard bytes.count <= Self.sizeMax else {
            throw failure("file", line: 1, "at most \(Self.sizeMax) bytes", found: "more")
        }
        let rows = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if let row = rows.firstIndex(where: { $0.contains(0) }) {
            throw failure("syntax", line: row + 1, "a text without NUL", found: "NUL")
        }
        if let row = rows.firstIndex(where: { String(validating: $0, as: UTF8.self) == nil }) {
            throw failure("syntax", line: row + 1, "a text in UTF-8", found: "other bytes")
        }
        do throws(TOMLFault) {
            content = try PlacedValue.parse(bytes)
        } catch {
            throw failure("syntax", line: error.line, "TOML", found: error.reason)
        }
    }

    /// What the root table says.
    ///
    /// - Parameter body: asks for every key that may be there.
    /// - Throws: the first thing that is wrong.
    package func read<Value>(_ body: (ConfigurationTable) -> Value) throws(ConfigurationError) -> Value {
        let value = body(ConfigurationTable(document: self, path: .root, line: 1, value: content.value))
        noteUnknownKeys(of: content.value, at: .root)
        noteUnprintable(content, at: .root)
        if let problem { throw problem.error }
        return value
    }

    /// The key may be there.
    func ask(for path: ConfigurationPath) { known.insert(path) }

    /// Nothing can be said about the key and what is in it.
    func skip(_ path: ConfigurationPath) {
        known.insert(path)
        skipped.insert(path)
    }

    func isKnown(_ path: ConfigurationPath) -> Bool { known.contains(path) }

    var isSound: Bool { problem == nil }

    func error(at path: ConfigurationPath, line: Int, _ expected: String, found: String) -> ConfigurationError {
        ConfigurationError(file: file, line: line, key: "\(path)", expected: expected, found: found)
    }

    /// - Parameters:
    ///   - line: of the key or element, or of the innermost table around it that stands in the text; else 1.
    ///   - found: nil when nothing is there.
    func note(
        _ path: ConfigurationPath,
        line: Int,
        _ expected: String,
        found: String?,
        code: ServiceCode = .configurationWrong
    ) {
        var error = error(at: path, line: line, expected, found: found ?? "nothing")
        error.code = found == nil ? .configurationMissing : code
        let problem = Problem(error: error, isMissing: found == nil)
        if let first = self.problem, !problem.precedes(first) { return }
        self.problem = problem
    }

    /// Each value that is no table, in the text's order.
    ///
    /// - Parameter body: takes its path, the value, and whether it is the value of a setting.
    func visit(_ body: (_ path: String, _ value: ConfigurationValue, _ isKnown: Bool) -> Void) {
        visit(content.value, at: .root, isKnown: true, body)
    }

    private func visit(
        _ value: ConfigurationValue,
        at path: ConfigurationPath,
        isKnown: Bool,
        _ body: (String, ConfigurationValue, Bool) -> Void
    ) {
        guard case .table(let entries) = value else { return body("\(path)", value, isKnown) }
        for (key, entry) in entries.sorted(by: { ($0.value.line, $0.key) < ($1.value.line, $1.key) }) {
            let path = path.appending(.key(key))
            visit(entry.value, at: path, isKnown: isKnown && known.contains(path) && !skipped.contains(path), body)
        }
    }

    private func noteUnknownKeys(of value: ConfigurationValue, at path: ConfigurationPath) {
        switch value {
        case .table(let entries):
            for (key, entry) in entries {
                let path = path.appending(.key(key))
                if known.contains(path) {
                    guard !skipped.contains(path) else { continue }
                    noteUnknownKeys(of: entry.value, at: path)
                } else {
                    note(
                        path,
                        line: entry.line,
                        "a known key, \(suggestion(for: key, in: path.parent))",
                        found: "unknown key \(quoted(key))",
                        code: .configurationUnknownKey
                    )
                }
            }
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                noteUnknownKeys(of: element.value, at: path.appending(.element(index)))
            }
        case .text, .integer, .truth, .other: break
        }
    }

    /// Texts reach displays, receipts and logs.
    private func noteUnprintable(_ placed: PlacedValue, at path: ConfigurationPath) {
        switch placed.value {
        case .table(let entries):
            for (key, entry) in entries { noteUnprintable(entry, at: path.appending(.key(key))) }
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                noteUnprintable(element, at: path.appending(.element(index)))
            }
        case .text(let text):
            guard text.printable != text else { return }
            note(path, line: placed.line, "a text of printable characters", found: placed.value.description)
        case .integer, .truth, .other: break
        }
    }

    /// The nearest name in the table, the same name elsewhere, or all names of the table.
    private func suggestion(for key: String, in table: ConfigurationPath) -> String {
        let names = known.compactMap { path -> String? in
            guard path.parent == table, case .key(let name) = path.steps.last else { return nil }
            return name
        }
        if let name = nearNames(to: key, among: names).first { return "perhaps \(name)" }
        let elsewhere = known.filter { $0.steps.last == .key(key) }.map { "\($0)" }
        if let path = elsewhere.min() { return "perhaps \(path)" }
        return "one of \(names.sorted().joined(separator: ", "))"
    }
}

extension ConfigurationDocument {
    /// Blocks while the file is read. The corresponding C functions are `open`, `fstat` and `read`.
    ///
    /// - Parameter secret: the file keeps keys, so that nobody but its owner may read it; else nobody else may write it.
    package static func contents(of file: String, secret: Bool = false) throws(ConfigurationError) -> [UInt8] {
        func unread() -> ConfigurationError {
            ConfigurationError(
                file: file,
                line: 1,
                key: "file",
                expected: "a readable file",
                found: systemError(),
                code: .configurationUnread
            )
        }
        // A pipe would be waited for.
        // SAFETY: the string lives as long as the call.
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw unread() }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw unread() }
        if let refusal = FileGuard.refusal(of: status, secret: secret) {
            throw ConfigurationError(
                file: file,
                line: 1,
                key: "file",
                expected: refusal.expected,
                found: refusal.found
            )
        }
        // One byte more than may be there tells a file that is too large.
        var bytes = [UInt8](repeating: 0, count: sizeMax + 1)
        var count = 0
        while count < bytes.count {
            // SAFETY: `read` writes no more than the rest of the array, which the closure keeps in place.
            let taken = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                return unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
            }
            if taken < 0, errno == EINTR { continue }
            guard taken >= 0 else { throw unread() }
            guard taken > 0 else { break }
            count += taken
        }
        return Array(bytes.prefix(count))
    }
}
