package import CardCryptography
package import FuelPassbook
import ISO7816
package import Quantities

/// Why a file of grey records is not taken.
package struct GreyRecordFileFault: Error, Equatable, Sendable {
    /// In words, with the line.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// Grey records on their way to another terminal: text, one line each, under a code over all of it.
///
///     greylock-grey 3 terminal 310000000017 key 01 01
///     record 12 card 00010000000000000042 ctc 291 balance 50000 amount 785 mac3 A1B2C3D4 key 01 01 gmac 5F..
///     end 1 code 8A..
///
/// Money is in fen, `-` a balance that is not known. A GMAC is sealed for the way, so the file is no secret; what it says is
/// believed by its code alone. Format 1 carried GMACs under the seal of the terminal that made them, which no other opens; in format
/// 2 seal and code were drawn from the master key itself, which a token does not do.
package struct GreyRecordFile: Equatable, Sendable {
    package static let bytesMax = 1 << 20

    package struct Entry: Equatable, Sendable {
        package let gmac: SealedGMAC
        package let mac3: [UInt8]
        /// Before the lock.
        package let balance: Amount?
    }

    /// Whose records they are.
    package let terminal: TerminalID
    /// Of which the code's key is drawn.
    package let key: KeyReference
    package let entries: [Entry]

    /// - Parameter records: of this terminal's own sales.
    package init(terminal: TerminalID, key: KeyReference, _ records: [GreyRecord]) {
        self.terminal = terminal
        self.key = key
        entries = records.map { Entry(gmac: $0.gmac, mac3: $0.mac3, balance: $0.balance) }
    }

    /// What the code covers.
    package var body: [UInt8] {
        let head = "\(Self.name) \(Self.format) terminal \(terminal) key \(words(key))\n"
        return Array((head + entries.map(line).joined() + "end \(entries.count)").utf8)
    }

    package func text(code: StoredCode) -> [UInt8] { body + Array(" code \(Hex.string(code.bytes))\n".utf8) }

    fileprivate static let name = "greylock-grey"
    fileprivate static let format = 3

    private func line(_ entry: Entry) -> String {
        let gmac = entry.gmac
        let balance = entry.balance.map { "\($0.fen)" } ?? "-"
        return "record \(gmac.ttc.number) card \(Hex.string(gmac.card.bytes)) ctc \(gmac.ctc.number) balance \(balance)"
            + " amount \(gmac.amount.fen) mac3 \(Hex.string(entry.mac3)) key \(words(gmac.key))"
            + " gmac \(Hex.string(gmac.sealed))\n"
    }

    private func words(_ key: KeyReference) -> String {
        Hex.string(key.index.bytes) + " " + Hex.string(key.version.bytes)
    }
}

extension GreyRecordFile {
    /// - Parameter isCoded: whether a code is that of these bytes, under the key drawn from this master key; nil when it is
    ///   not loaded.
    /// - Throws: ``GreyRecordFileFault`` for any other text than a terminal made.
    package init(
        parsing bytes: [UInt8],
        isCoded: (_ body: [UInt8], _ code: [UInt8], KeyReference) throws(GreyRecordFileFault) -> Bool?
    ) throws(GreyRecordFileFault) {
        guard bytes.count <= Self.bytesMax else { throw GreyRecordFileFault("it is longer than any such file") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.noFile }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, let head = lines.first, lines.last?.isEmpty == true else { throw Self.noFile }
        var words = Words(head, line: 1)
        guard words.next() == Self.name[...] else { throw Self.noFile }
        guard words.next() == "\(Self.format)" else {
            throw GreyRecordFileFault("another version of this program made it: export it again with this one")
        }
        let terminal: TerminalID = try words.element("terminal")
        let key = try words.key()
        try words.end()
        var entries: [Entry] = []
        for (index, line) in lines.dropFirst().dropLast(2).enumerated() {
            var words = Words(line, line: index + 2)
            entries.append(try words.entry(terminal))
        }
        self.init(terminal: terminal, key: key, entries)
        var end = Words(lines[lines.count - 2], line: lines.count - 1)
        guard try end.number("end") == entries.count else {
            throw GreyRecordFileFault("it has not as many records as it says: copy it again")
        }
        let code = try end.bytes("code", StoredCode.length)
        try end.end()
        guard let isRight = try isCoded(body, code, key) else {
            throw GreyRecordFileFault(
                "it is coded under master key \(key.index.number), version \(key.version.number), which is not loaded here"
            )
        }
        guard isRight else { throw GreyRecordFileFault("its code is wrong: it was changed, or another scheme made it") }
        let length = text.utf8.count
        guard body.count + " code \n".utf8.count + 2 * StoredCode.length == length else { throw Self.noFile }
    }

    private init(terminal: TerminalID, key: KeyReference, _ entries: [Entry]) {
        self.terminal = terminal
        self.key = key
        self.entries = entries
    }

    /// The same records, each with its GMAC under another seal.
    package func sealed<Failure: Error>(
        _ seal: (SealedGMAC) throws(Failure) -> SealedGMAC
    ) throws(Failure) -> GreyRecordFile {
        var entries: [Entry] = []
        for entry in self.entries {
            entries.append(Entry(gmac: try seal(entry.gmac), mac3: entry.mac3, balance: entry.balance))
        }
        return GreyRecordFile(terminal: terminal, key: key, entries)
    }

    private static let noFile = GreyRecordFileFault("it is no file that greylock records export made")
}

extension GreyRecordFile.Entry {
    /// The record as it stands in another journal.
    ///
    /// - Parameter number: of that journal's, which no sale has.
    package func record(_ number: RecordNumber, at time: TransactionTime) -> GreyRecord {
        GreyRecord(number, mac3: mac3, gmac: gmac, balance: balance, imported: time)
    }

    /// Whether a journal's record is of the same lock.
    package func isSameLock(_ record: GreyRecord) -> Bool {
        record.gmac.terminal == gmac.terminal && record.gmac.ttc == gmac.ttc && record.card == gmac.card
            && record.ctc == gmac.ctc
    }
}

/// The words of one line, each in its place.
private struct Words {
    private var rest: ArraySlice<Substring>
    private let line: Int

    init(_ text: Substring, line: Int) {
        rest = text.split(separator: " ", omittingEmptySubsequences: false)[...]
        self.line = line
    }

    mutating func next() -> Substring? { rest.popFirst() }

    mutating func label(_ label: String) throws(GreyRecordFileFault) -> Substring {
        guard next() == label[...], let value = next() else { throw fault("\(label) is missing") }
        return value
    }

    mutating func number<Number: FixedWidthInteger>(_ label: String) throws(GreyRecordFileFault) -> Number {
        let text = try self.label(label)
        // In the one form in which it is written.
        guard let number = Number(text), "\(number)" == text else { throw fault("\(label) is no number of its range") }
        return number
    }

    mutating func bytes(_ label: String, _ count: Int) throws(GreyRecordFileFault) -> [UInt8] {
        try bytes(of: self.label(label), label, count)
    }

    mutating func element<Element: DataElement>(_ label: String) throws(GreyRecordFileFault) -> Element {
        let bytes = try bytes(label, Element.length)
        do throws(ParseError) { return try Element(parsing: bytes) } catch { throw fault("\(label): \(error)") }
    }

    mutating func key() throws(GreyRecordFileFault) -> KeyReference {
        let index = try bytes("key", 1)
        let version = try bytes(of: next() ?? "", "key version", 1)
        return KeyReference(index: KeyIndex(index[0]), version: KeyVersion(version[0]))
    }

    mutating func entry(_ terminal: TerminalID) throws(GreyRecordFileFault) -> GreyRecordFile.Entry {
        let ttc: UInt32 = try number("record")
        let card: ApplicationSerialNumber = try element("card")
        let ctc: UInt16 = try number("ctc")
        let balance = try label("balance")
        guard let fen = balance == "-" ? 0 : UInt32(balance) else { throw fault("balance is no number of its range") }
        let amount: UInt32 = try number("amount")
        let mac3 = try bytes("mac3", MAC.length)
        let key = try key()
        let sealed = try bytes("gmac", SealedGMAC.sealedLength)
        try end()
        let gmac = SealedGMAC(
            card: card,
            terminal: terminal,
            ttc: TTC(ttc),
            ctc: CTC(ctc),
            amount: Amount(fen: amount),
            key: key,
            sealed: sealed
        )
        return GreyRecordFile.Entry(gmac: gmac, mac3: mac3, balance: balance == "-" ? nil : Amount(fen: fen))
    }

    func end() throws(GreyRecordFileFault) {
        guard rest.isEmpty else { throw fault("there is more than belongs there") }
    }

    private func bytes(of text: Substring, _ label: String, _ count: Int) throws(GreyRecordFileFault) -> [UInt8] {
        do throws(ParseError) {
            let bytes = try Hex.bytes(text)
            guard bytes.count == count, Hex.string(bytes) == text else { throw .wrongLength(label) }
            return bytes
        } catch {
            throw fault("\(label) is not \(2 * count) hexadecimal digits")
        }
    }

    private func fault(_ reason: String) -> GreyRecordFileFault { GreyRecordFileFault("line \(line): \(reason)") }
}
