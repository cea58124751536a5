package import CardCryptography
package import FuelPassbook
import ISO7816
package import Quantities

// The audit log: a text of lines. The first says whose it is and after which entry it begins:
//
//     greylock-audit 1 TERMINAL ENTRIES HASH
//
// and each of the others is an entry:
//
//     NUMBER TIME BEGUN.CHANGE ACTION NAME=VALUE... hash=HASH code=INDEX.VERSION.CODE
//
// TIME is UTC, YYYYMMDDhhmmss. A value's bytes but letters, digits and ".,:_-" of ASCII stand as "%" and two hexadecimal digits.
// HASH is SHA-256 over the hash before it, the terminal's id and the line's text before " hash=". CODE is made of the hash with
// a key that is drawn from the terminal's record key; where there was none yet it is "-".

/// How far an audit log goes.
package struct AuditHead: Equatable, Sendable {
    package static let none = AuditHead(entries: 0, hash: [UInt8](repeating: 0, count: SHA256.length))

    package let entries: UInt64
    /// Of the last entry.
    package let hash: [UInt8]

    package init(entries: UInt64, hash: [UInt8]) {
        precondition(hash.count == SHA256.length)
        self.entries = entries
        self.hash = hash
    }
}

/// One line of the log.
package struct AuditEntry: Equatable, Sendable {
    package let number: UInt64
    /// UTC.
    package let time: TransactionTime
    package let change: StoreNumber
    package let action: String
    package let facts: [AuditFact]
    package let hash: [UInt8]
    /// nil where the terminal had no record key.
    package let code: Code?

    package struct Code: Equatable, Sendable {
        /// Of the record key.
        package let reference: KeyReference
        package let bytes: [UInt8]
    }

    /// That the changes before it were stored.
    package var isConfirmation: Bool { action == AuditEvent.stored.action }

    /// Nothing was changed.
    fileprivate var isRefusal: Bool { action == AuditEvent.refused.action }

    fileprivate var isErasureOfAll: Bool { action == AuditEvent.allErased.action }

    fileprivate var head: AuditHead { AuditHead(entries: number, hash: hash) }
}

/// Makes and judges the codes of audit entries: drawn from the record key of one terminal.
package final class AuditKey: Sendable {
    package let reference: KeyReference
    private let key: CodeKey

    /// - Parameter recordKey: 16 bytes.
    package init(_ recordKey: borrowing LockedBuffer, as reference: KeyReference) {
        self.reference = reference
        key = CodeKey(from: DoubleLengthKey(recordKey.part(0..<DoubleLengthKey.length)), label: "GL-AUDT")
    }

    fileprivate func code(_ hash: [UInt8]) -> AuditEntry.Code {
        AuditEntry.Code(reference: reference, bytes: key.code(of: hash).bytes)
    }

    /// nil of an entry that was coded under no key, or another.
    package func isAuthentic(_ entry: AuditEntry) -> Bool? {
        guard let code = entry.code, code.reference == reference else { return nil }
        return key.code(of: entry.hash).isValid(code.bytes)
    }
}

/// What is wrong with an audit log.
package struct AuditFault: Error, Equatable, Sendable {
    /// From 1.
    package let line: Int
    package let reason: String
}

/// What custodians did to one terminal's keys, one entry a line, each of them bound to all before it.
package struct AuditLog: Sendable {
    package static let fileBytesMax = 1 << 24
    /// More than a terminal's life has.
    private static let entriesMax: UInt64 = 1 << 32
    private static let magic = "greylock-audit"

    package let terminal: TerminalID
    /// After which entry it begins: not the first where a log was lost.
    package let base: AuditHead
    package private(set) var entries: [AuditEntry] = []
    /// Of the last line, where its end was not written.
    package private(set) var tornBytes = 0
    package private(set) var faults: [AuditFault] = []
    /// The highest change of which an entry says that it was stored.
    package private(set) var stored = StoreNumber.none

    package init(of terminal: TerminalID, after base: AuditHead = .none) {
        self.terminal = terminal
        self.base = base
    }

    package var head: AuditHead { entries.last?.head ?? base }

    /// The head when there were so many; nil where that is not in this log.
    package func head(at entries: UInt64) -> AuditHead? {
        if entries == base.entries { return base }
        guard entries > base.entries, entries - base.entries <= UInt64(self.entries.count) else { return nil }
        return self.entries[Int(entries - base.entries) - 1].head
    }

    /// Whether it goes at least as far as `head`, on the same way.
    package func contains(_ head: AuditHead) -> Bool { self.head(at: head.entries) == head }

    package var firstLine: String {
        "\(Self.magic) 1 \(Hex.string(terminal.bytes)) \(base.entries) \(Hex.string(base.hash))"
    }

    /// - Returns: the entry's line.
    mutating func append(_ event: PendingEvent, under key: AuditKey?) -> String {
        let number = head.entries + 1
        let facts = event.event.facts + event.facts
        let time = TransactionTime(utc: event.time)
        let text =
            ([
                "\(number)", Hex.string(time.bytes), "\(event.change.begun).\(event.change.change)",
                event.event.action,
            ] + facts.map { "\($0.name)=\(Self.encoded($0.value))" }).joined(separator: " ")
        let hash = hash(of: text, after: head)
        let code = key?.code(hash)
        let entry = AuditEntry(
            number: number,
            time: time,
            change: event.change,
            action: event.event.action,
            facts: facts,
            hash: hash,
            code: code
        )
        add(entry)
        return "\(text) hash=\(Hex.string(hash)) code=\(code?.text ?? "-")"
    }

    /// - Returns: the line; there is no key to make its code.
    package mutating func noteErasure(_ facts: [AuditFact], left: [String], at now: Int64) -> String {
        let last = entries.last?.change ?? .none
        let event = PendingEvent(
            event: .allErased,
            facts: facts + left.map { AuditFact("left", $0) },
            time: now,
            change: last.next(at: now)
        )
        return append(event, under: nil)
    }

    /// - Parameter change: the last one: nothing is changed.
    /// - Returns: the line.
    package mutating func noteRefusal(
        _ facts: [AuditFact],
        after change: StoreNumber,
        at now: Int64,
        under key: AuditKey?
    ) -> String {
        append(PendingEvent(event: .refused, facts: facts, time: now, change: change), under: key)
    }

    mutating func confirm(_ change: StoreNumber, at time: Int64, under key: AuditKey?) -> String {
        append(PendingEvent(event: .stored, facts: [], time: time, change: change), under: key)
    }

    private func hash(of text: String, after head: AuditHead) -> [UInt8] {
        SHA256.digest(of: head.hash + terminal.bytes + Array(text.utf8))
    }
}

// MARK: - Reading

extension AuditLog {
    /// Reads as much as can be read; what is wrong stands in ``faults``.
    ///
    /// - Throws: of what is no audit log at all.
    package init(parsing bytes: [UInt8]) throws(AuditFault) {
        let newline = UInt8(ascii: "\n")
        let torn = bytes.reversed().prefix { $0 != newline }.count
        let lines = bytes.dropLast(torn).split(separator: newline, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
        guard let first = lines.first else { throw AuditFault(line: 1, reason: "it is empty, or cut short") }
        try self.init(firstLine: first)
        tornBytes = torn
        for (index, line) in lines.enumerated().dropFirst() { take(line, index + 1) }
    }

    private init(firstLine: String) throws(AuditFault) {
        let words = firstLine.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 5, words[0] == Self.magic else {
            throw AuditFault(line: 1, reason: "it is no audit log of this program")
        }
        guard words[1] == "1" else { throw AuditFault(line: 1, reason: "another version of this program wrote it") }
        let broken = AuditFault(line: 1, reason: "the line cannot be read")
        guard let entries = UInt64(words[3]), entries < Self.entriesMax, let hash = Self.bytes(String(words[4])),
            hash.count == SHA256.length,
            let id = Self.bytes(String(words[2]))
        else { throw broken }
        let terminal: TerminalID
        do throws(ParseError) { terminal = try TerminalID(parsing: id) } catch { throw broken }
        self.init(of: terminal, after: AuditHead(entries: entries, hash: hash))
        guard self.firstLine == firstLine else { throw broken }
    }

    private mutating func take(_ line: String, _ number: Int) {
        guard let (entry, text) = Self.entry(line) else {
            return fault(number, "the line cannot be read")
        }
        if entry.number != head.entries + 1 {
            fault(number, "it is entry \(entry.number), and \(head.entries + 1) is missing")
        } else if hash(of: text, after: head) != entry.hash {
            fault(number, "it does not fit the entries before it: one of them, or this, was altered")
        } else if let last = entries.last, !entry.change.mayFollow(last.change) {
            fault(number, "change \(entry.change.change) does not follow change \(last.change.change)")
        } else if !entry.isErasureOfAll, let key = recordKey(before: entry),
            entry.code?.reference != key
        {
            let missing = "it has no code, though the terminal had a record key"
            let foreign =
                "its code is under another record key than \(HeldKeyName(.record, key).words), which was not erased"
            fault(number, entry.code == nil ? missing : foreign)
        } else if !entry.isConfirmation, !entry.isRefusal, entry.change <= stored {
            fault(number, "change \(entry.change.change) had been stored: it was made on an older copy of the store")
        }
        add(entry)
    }

    /// That an entry's store had, by the last change before it: one of a number that comes again was not stored.
    private func recordKey(before entry: AuditEntry) -> KeyReference? {
        let last = entries.last { other in
            !other.isConfirmation && !other.isRefusal && other.change.begun == entry.change.begun
                && (other.change < entry.change
                    || (entry.isConfirmation || entry.isRefusal) && other.change == entry.change)
        }
        guard let last, let code = last.code else { return nil }
        let erasesIt =
            last.action == AuditEvent.erasedAction
            && last.facts.contains { $0.name == "key" && $0.value == HeldKeyName(.record, code.reference).words }
        return erasesIt ? nil : code.reference
    }

    private mutating func add(_ entry: AuditEntry) {
        entries.append(entry)
        if entry.isConfirmation { stored = max(stored, entry.change) }
    }

    /// Entries whose changes were begun and, as far as the log goes, not stored. Of keys that were all destroyed no store is left.
    package var unstored: [AuditEntry] {
        var later = StoreNumber(raw: .max)
        var found: [AuditEntry] = []
        for entry in entries.reversed() where !entry.isConfirmation && !entry.isErasureOfAll && !entry.isRefusal {
            if entry.change >= later || entry.change > stored { found.append(entry) }
            later = min(later, entry.change)
        }
        return found.reversed()
    }

    private mutating func fault(_ line: Int, _ reason: String) {
        faults.append(AuditFault(line: line, reason: reason))
    }

    /// - Returns: the entry, and the text that its hash covers.
    private static func entry(_ line: String) -> (AuditEntry, String)? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 6, let number = UInt64(words[0]), let change = StoreNumber(text: words[2]),
            let hash = field("hash", words[words.count - 2]).flatMap(bytes), hash.count == SHA256.length,
            let codeText = field("code", words[words.count - 1])
        else { return nil }
        var code: AuditEntry.Code?
        if codeText != "-" {
            guard let parsed = AuditEntry.Code(text: codeText) else { return nil }
            code = parsed
        }
        var facts: [AuditFact] = []
        for word in words.dropFirst(4).dropLast(2) {
            guard let equals = word.firstIndex(of: "="), let value = decoded(word[word.index(after: equals)...]) else {
                return nil
            }
            facts.append(AuditFact(String(word[..<equals]), value))
        }
        guard let time = time(words[1]) else { return nil }
        let entry = AuditEntry(
            number: number,
            time: time,
            change: change,
            action: words[3],
            facts: facts,
            hash: hash,
            code: code
        )
        return (entry, words.dropLast(2).joined(separator: " "))
    }

    private static func field(_ name: String, _ word: String) -> String? {
        word.hasPrefix(name + "=") ? String(word.dropFirst(name.count + 1)) : nil
    }

    private static func time(_ text: String) -> TransactionTime? {
        do throws(ParseError) { return try TransactionTime(digits: Hex.bytes(text)) } catch { return nil }
    }
}

// MARK: - Texts

extension AuditLog {
    private static let plain = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:_-".utf8
    )

    private static func encoded(_ value: String) -> String {
        value.utf8.map { plain.contains($0) ? String(UnicodeScalar($0)) : "%" + Hex.string([$0]) }.joined()
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let first = rest.popFirst() {
            guard first == UInt8(ascii: "%") else {
                guard plain.contains(first) else { return nil }
                bytes.append(first)
                continue
            }
            guard let byte = Self.bytes(String(decoding: rest.prefix(2), as: UTF8.self)), byte.count == 1 else {
                return nil
            }
            bytes += byte
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    fileprivate static func bytes(_ text: String) -> [UInt8]? {
        do throws(ParseError) { return try Hex.bytes(text) } catch { return nil }
    }
}

extension AuditEntry.Code {
    fileprivate var text: String { "\(reference.index.number).\(reference.version.number).\(Hex.string(bytes))" }

    fileprivate init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let index = UInt8(parts[0]), let version = UInt8(parts[1]),
            let bytes = AuditLog.bytes(parts[2]), bytes.count == StoredCode.length
        else { return nil }
        self.init(reference: KeyReference(index: KeyIndex(index), version: KeyVersion(version)), bytes: bytes)
    }
}

extension StoreNumber {
    fileprivate init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let begun = UInt32(parts[0]), let change = UInt32(parts[1]) else { return nil }
        self.init(raw: UInt64(begun) << 32 | UInt64(change))
    }

    /// Changes that were never stored are followed by others of the same numbers.
    fileprivate func mayFollow(_ last: StoreNumber) -> Bool {
        begun == last.begun ? change > 0 && change - 1 <= last.change : begun > last.begun && change == 1
    }
}
