package import Records

/// How far the terminal's keys had been changed when something was last committed. It is sealed with the journal's state, and so
/// stands in it with each sale.
package struct CustodyMark: Equatable, Sendable {
    package static let hashLength = 32
    /// Of a journal that never saw a store of keys.
    package static let none = CustodyMark(
        storeNumber: 0,
        auditEntries: 0,
        auditHash: [UInt8](repeating: 0, count: hashLength)
    )

    /// Of the key store: it only rises.
    package let storeNumber: UInt64
    package let auditEntries: UInt64
    /// Of the last of them.
    package let auditHash: [UInt8]

    package init(storeNumber: UInt64, auditEntries: UInt64, auditHash: [UInt8]) {
        precondition(auditHash.count == Self.hashLength)
        self.storeNumber = storeNumber
        self.auditEntries = auditEntries
        self.auditHash = auditHash
    }
}

extension CustodyMark {
    static let length = 8 + 8 + hashLength

    func append(to bytes: inout [UInt8]) {
        BigEndian.append(storeNumber, to: &bytes)
        BigEndian.append(auditEntries, to: &bytes)
        bytes += auditHash
    }

    init(_ bytes: [UInt8], at place: Int) {
        self.init(
            storeNumber: BigEndian.number(bytes, at: place),
            auditEntries: BigEndian.number(bytes, at: place + 8),
            auditHash: Array(bytes[(place + 16)...].prefix(Self.hashLength))
        )
    }
}

extension SQLiteJournal {
    /// Whether a process has the journal open, as far as this user can see.
    package static func isInUse(_ path: String) -> Bool { JournalFile.isInUse(JournalFile.resolved(path)) }

    /// nil when the journal's state is not believed.
    package func custodyMark() throws(StorageFault) -> CustodyMark? {
        guard let key = start.key else { return nil }
        return try connection.view("read the journal's state") { try $0.journalState(key)?.custody }
    }

    /// On disk when this returns. Whoever calls has judged that it does not fall back.
    package func note(_ mark: CustodyMark) throws(StorageFault) {
        guard try custodyMark() != mark else { return }
        try commitRows("note the keys' number") { $0.note(mark) }
    }
}
