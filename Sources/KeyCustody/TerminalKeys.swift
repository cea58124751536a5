import CardCryptography
package import FuelPassbook
package import Quantities

/// Why keys of a terminal are not changed as asked.
package enum CustodyFault: Error, Equatable, Sendable {
    /// A key of this name is held.
    case held(HeldKeyName)
    /// The key is held under this name already.
    case equal(HeldKeyName)
    /// A key of this name was held, and its block was made no earlier than this one.
    case older(HeldKeyName, made: TransactionTime)
    /// Its block was made later than now, by more than clocks differ: none after it would be newer.
    case future(HeldKeyName, made: TransactionTime)
    /// Records are coded under the one that is held.
    case recordKeyHeld(HeldKeyName)
    case missing(HeldKeyName)
    /// It is of no use to sell with a transport or record key.
    case sellsNothing(KeyUsage)
    case retired(HeldKeyName)
    /// A sale may begin under it before a service sees that it is gone.
    case sells(HeldKeyName)
    /// A service that runs may not have seen it yet.
    case retiredJustNow(HeldKeyName)
    /// As many purchase masters are held as may be.
    case full
    /// As many keys were held, one after the other, as may be.
    case wornOut
}

/// All keys that one terminal holds: at most one transport and one record key, and purchase masters (MPK) by index and version.
package struct TerminalKeys: Sendable {
    /// In which a running service stops selling with a key that was retired, so that what it sold has a record.
    package static let retiringSeconds: Int64 = 3
    package static let mastersMax = 128
    /// By which the clocks of who makes a block and who takes it may differ.
    private static let clocksDifferSeconds: Int64 = 86_400
    /// Held or erased.
    package static let namesMax = 1_000

    package let terminal: TerminalID
    /// So that an older copy is told from a newer one.
    package internal(set) var number = StoreNumber.none
    /// Where the audit log stood when the file was written.
    package internal(set) var audit = AuditHead.none
    /// Since it was read.
    package private(set) var events: [PendingEvent] = []
    package internal(set) var keys: [HeldKey] = []
    package internal(set) var erased: [ErasedKey<KeyUsage>] = []

    package init(of terminal: TerminalID) { self.terminal = terminal }

    package subscript(name: HeldKeyName) -> HeldKey? { keys.first { $0.name == name } }

    /// By the clock of then, in seconds of UTC since 1970; nil of a store without any key yet.
    package var lastChange: Int64? {
        (keys.flatMap { [$0.dates.loaded, $0.dates.retired ?? 0] } + erased.map(\.erased)).max()
    }

    package func only(_ usage: KeyUsage) -> HeldKey? { keys.first { $0.name.usage == usage } }

    /// Takes a key. A transport key takes the place of the one before it; a transport or record key is in use from now on, a
    /// purchase master when it is activated.
    ///
    /// - Parameter now: seconds of UTC since 1970.
    package mutating func load(
        _ delivery: consuming KeyDelivery,
        _ origin: HeldKey.Origin,
        at now: Int64,
        _ facts: [AuditFact] = []
    ) throws(CustodyFault) {
        let name = delivery.name
        try requireNew(name, delivery.made)
        guard delivery.made <= TransactionTime(utc: now + Self.clocksDifferSeconds) else {
            throw .future(name, made: delivery.made)
        }
        for key in keys where key.isEqual(to: delivery.key) { throw .equal(key.name) }
        guard keys.count + erased.count < Self.namesMax else { throw .wornOut }
        var activeFrom: Int64? = now
        switch name.usage {
        case .record:
            if let held = only(.record) { throw .recordKeyHeld(held.name) }
        case .transport:
            if let replaced = only(.transport) { forget(replaced, at: now) }
        case .purchaseMaster:
            guard keys.count(where: { $0.name.usage == .purchaseMaster }) < Self.mastersMax else { throw .full }
            activeFrom = nil
        }
        let (cipher, made, checkValue) = (delivery.cipher, delivery.made, delivery.checkValue())
        keys.append(
            HeldKey(
                name: name,
                cipher: cipher,
                origin: origin,
                made: made,
                dates: HeldKey.Dates(loaded: now, activeFrom: activeFrom),
                place: .store(SecretKey(delivery.take()))
            )
        )
        note(.loaded(name, checkValue: checkValue, origin), at: now, facts)
    }

    /// A file under another storage key is a change.
    package mutating func noteSealedAnew(at now: Int64, _ facts: [AuditFact]) { note(.rewrapped, at: now, facts) }

    /// Sells with a purchase master from that moment on; the last word counts.
    package mutating func activate(
        _ name: HeldKeyName,
        from utcSeconds: Int64,
        at now: Int64,
        _ facts: [AuditFact] = []
    ) throws(CustodyFault) {
        let place = try master(name)
        guard keys[place].dates.retired == nil else { throw .retired(name) }
        keys[place].dates.activeFrom = utcSeconds
        note(.activated(name, from: utcSeconds), at: now, facts)
    }

    /// Sells no more with a purchase master.
    package mutating func retire(
        _ name: HeldKeyName,
        at now: Int64,
        _ facts: [AuditFact] = []
    ) throws(CustodyFault) {
        let place = try master(name)
        guard keys[place].dates.retired == nil else { throw .retired(name) }
        keys[place].dates.retired = now
        note(.retired(name), at: now, facts)
    }

    package mutating func erase(
        _ name: HeldKeyName,
        at now: Int64,
        _ facts: [AuditFact] = []
    ) throws(CustodyFault) {
        guard let key = self[name] else { throw .missing(name) }
        if name.usage == .purchaseMaster, key.dates.state(at: now) == .active { throw .sells(name) }
        if let retired = key.dates.retired, (0..<Self.retiringSeconds).contains(now - retired) {
            throw .retiredJustNow(name)
        }
        forget(key, at: now)
        note(.erased(name), at: now, facts)
    }

    private mutating func note(_ event: AuditEvent, at now: Int64, _ facts: [AuditFact]) {
        number = number.next(at: now)
        events.append(PendingEvent(event: event, facts: facts, time: now, change: number))
    }

    /// Puts what was changed into the log.
    ///
    /// - Parameters:
    ///   - key: nil where there is no record key.
    ///   - last: the number before the changes.
    /// - Returns: the lines to be written before the store is, and the one after it; nil without a change.
    package mutating func enter(
        into log: inout AuditLog,
        under key: AuditKey?,
        after last: StoreNumber
    ) -> (lines: [String], confirmation: String)? {
        guard let first = events.first else { return nil }
        var lines: [String] = []
        if last > log.stored { lines.append(log.confirm(last, at: first.time, under: key)) }
        for event in events { lines.append(log.append(event, under: key)) }
        audit = log.head
        events = []
        return (lines, log.confirm(number, at: first.time, under: key))
    }

    /// The key of the log's codes; nil without a record key.
    package func auditKey() -> AuditKey? {
        only(.record).flatMap { key in key.secret.map { AuditKey($0.raw, as: key.name.reference) } }
    }

    /// Hands purchase masters that are in the store to a token; those of them that it took are no more in the store.
    package mutating func moveMasters<Failure: Error>(
        at now: Int64,
        _ put: (HeldKeyName, SecretKey, TokenMark) throws(Failure) -> Void
    ) throws(Failure) {
        for index in keys.indices where keys[index].name.usage == .purchaseMaster {
            guard case .store(let secret) = keys[index].place else { continue }
            let mark = TokenMark(of: secret.raw)
            try put(keys[index].name, secret, mark)
            keys[index].place = .token(mark)
            note(.moved(keys[index].name), at: now, [])
        }
    }

    private mutating func forget(_ key: HeldKey, at now: Int64) {
        keys.removeAll { $0.name == key.name }
        erased.append(ErasedKey(name: key.name, made: key.made, erased: now))
    }

    private func requireNew(_ name: HeldKeyName, _ made: TransactionTime) throws(CustodyFault) {
        guard self[name] == nil else { throw .held(name) }
        for key in erased where key.name == name && made <= key.made { throw .older(name, made: key.made) }
    }

    private func master(_ name: HeldKeyName) throws(CustodyFault) -> Int {
        guard name.usage == .purchaseMaster else { throw .sellsNothing(name.usage) }
        guard let place = keys.firstIndex(where: { $0.name == name }) else { throw .missing(name) }
        return place
    }
}
