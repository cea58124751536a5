import CardCryptography
package import FuelPassbook
package import ISO7816
package import Quantities

/// Everything that a card keeps without power. A command changes a copy and commits it whole.
///
/// Invariants: `grey` is set exactly while the purse bears the grey mark; `gmacTriesLeft` 0 means locked for good; the
/// log holds the newest record first; each type of transaction has one proof at most.
package struct CardImage: Equatable, Sendable {
    package static let logRecordsMax = 10
    package static let proofsMax = 8
    package static let upkeepTriesMax: UInt8 = 3

    package var file: PublicApplicationFile
    package var holder: HolderFile
    package var keyIndex: KeyIndex
    package var keyVersion: KeyVersion
    /// With the overdraft limit: the customer's own money is this less the limit, and may be less than nothing.
    package var balance: Amount
    package var overdraftLimit: OverdraftLimit
    package var ctc: CTC
    package var online: OnlineNumber
    package var gmacTriesLimit: UInt8
    package var gmacTriesLeft: UInt8
    package var pinTriesLimit: UInt8
    package var pinTriesLeft: UInt8
    /// Wrong codes that the issuer's upkeep commands may still have, together (decision 0008).
    package var upkeepTriesLeft: UInt8
    package var block: Block
    /// The PIN, sealed under a key that only the card has.
    package var sealedPIN: [UInt8]
    package var grey: GreyLock?
    package var log: [LogRecord]
    /// The last transaction of each type.
    package var proofs: [KeptProof]

    /// Of the masters that the card was made with.
    package var keys: KeyReference { KeyReference(index: keyIndex, version: keyVersion) }

    package var isLockedForGood: Bool { gmacTriesLeft == 0 || block == .permanent }

    /// The balance without what the issuer lends; nothing when part of that is spent.
    package var ownMoney: Amount { balance.subtracting(Amount(fen: overdraftLimit.fen)) ?? .zero }

    /// The issuer's APPLICATION BLOCK.
    package enum Block: UInt8, Sendable {
        case none = 0
        case temporary = 1
        case permanent = 2
    }
}

/// The internal file of a grey purse: what brings the session key back, and the two codes that the lock answered (D12).
package struct GreyLock: Equatable, Sendable {
    package let icc: ICCRandom
    /// The number before the lock.
    package let ctc: CTC
    package let terminal: TerminalID
    package let ttc: TTC
    package let time: TransactionTime
    package let mac2: [UInt8]
    package let mac3: [UInt8]
    package let lockTAC: [UInt8]
}

/// What GET TRANSACTION PROVE answers for one past transaction.
package struct KeptProof: Equatable, Sendable {
    package let type: TransactionType
    package let number: UInt16
    package let mac: [UInt8]
    package let tac: [UInt8]
}

// MARK: - Bytes

extension CardImage {
    static let formatVersion: UInt8 = 2
    /// A full log and every proof fit.
    private static let bytesUsual = 640

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bytesUsual)
        bytes.append(Self.formatVersion)
        file.append(to: &bytes)
        bytes.append(UInt8(holder.bytes.count))
        bytes += holder.bytes
        keyIndex.append(to: &bytes)
        keyVersion.append(to: &bytes)
        balance.append(to: &bytes)
        overdraftLimit.append(to: &bytes)
        ctc.append(to: &bytes)
        online.append(to: &bytes)
        bytes += [gmacTriesLimit, gmacTriesLeft, pinTriesLimit, pinTriesLeft, upkeepTriesLeft, block.rawValue]
        bytes.append(UInt8(sealedPIN.count))
        bytes += sealedPIN
        bytes.append(grey == nil ? 0 : 1)
        grey?.append(to: &bytes)
        bytes.append(UInt8(log.count))
        for record in log { record.append(to: &bytes) }
        bytes.append(UInt8(proofs.count))
        for proof in proofs { proof.append(to: &bytes) }
        return bytes
    }

    /// - Throws: `ParseError` for any image that this version did not write; an older one is `.invalid("card format")`.
    package init(parsing bytes: [UInt8]) throws(ParseError) {
        var reader = FieldReader(bytes)
        guard try reader.read("card format", as: UInt8.self) == Self.formatVersion else {
            throw .invalid("card format")
        }
        file = try PublicApplicationFile(reading: &reader)
        holder = try HolderFile(
            parsing: Array(reader.read("holder", count: Int(reader.read("holder length", as: UInt8.self))))
        )
        keyIndex = try reader.read("key index")
        keyVersion = try reader.read("key version")
        balance = try reader.read("balance")
        overdraftLimit = try reader.read("overdraft limit")
        ctc = try reader.read("CTC")
        online = try reader.read("online number")
        gmacTriesLimit = try reader.read("GMAC tries limit")
        gmacTriesLeft = try reader.read("GMAC tries left")
        pinTriesLimit = try reader.read("PIN tries limit")
        pinTriesLeft = try reader.read("PIN tries left")
        upkeepTriesLeft = try reader.read("upkeep tries left")
        guard
            (1...15).contains(gmacTriesLimit), gmacTriesLeft <= gmacTriesLimit,
            (1...15).contains(pinTriesLimit), pinTriesLeft <= pinTriesLimit,
            upkeepTriesLeft <= Self.upkeepTriesMax
        else { throw .invalid("try counters") }
        guard let block = try Block(rawValue: reader.read("block")) else { throw .invalid("block") }
        self.block = block
        sealedPIN = try Array(reader.read("sealed PIN", count: Int(reader.read("PIN length", as: UInt8.self))))
        grey = nil
        switch try reader.read("grey mark", as: UInt8.self) {
        case 0: break
        case 1: grey = try GreyLock(reading: &reader)
        case _: throw .invalid("grey mark")
        }
        let records = try Int(reader.read("log count", as: UInt8.self))
        guard records <= Self.logRecordsMax else { throw .invalid("log count") }
        log = []
        for _ in 0..<records { log.append(try LogRecord(reading: &reader)) }
        let kept = try Int(reader.read("proof count", as: UInt8.self))
        guard kept <= Self.proofsMax else { throw .invalid("proof count") }
        proofs = []
        for _ in 0..<kept { proofs.append(try KeptProof(reading: &reader)) }
        try reader.finish("card image")
    }

    mutating func record(_ entry: LogRecord, proof: KeptProof) {
        log.insert(entry, at: 0)
        if log.count > Self.logRecordsMax { log.removeLast() }
        proofs.removeAll { $0.type == proof.type }
        proofs.append(proof)
    }
}

extension GreyLock {
    init(reading reader: inout FieldReader) throws(ParseError) {
        icc = try reader.read("ICC")
        ctc = try reader.read("CTC")
        terminal = try reader.read("TID")
        ttc = try reader.read("TTC")
        time = try reader.read("date and time")
        mac2 = try Array(reader.read("MAC2", count: MAC.length))
        mac3 = try Array(reader.read("MAC3", count: MAC.length))
        lockTAC = try Array(reader.read("lock TAC", count: MAC.length))
    }

    func append(to bytes: inout [UInt8]) {
        icc.append(to: &bytes)
        ctc.append(to: &bytes)
        terminal.append(to: &bytes)
        ttc.append(to: &bytes)
        time.append(to: &bytes)
        bytes += mac2 + mac3 + lockTAC
    }
}

extension KeptProof {
    init(reading reader: inout FieldReader) throws(ParseError) {
        type = try reader.read("type")
        number = try reader.read("number")
        mac = try Array(reader.read("MAC", count: MAC.length))
        tac = try Array(reader.read("TAC", count: MAC.length))
    }

    func append(to bytes: inout [UInt8]) {
        type.append(to: &bytes)
        number.append(to: &bytes)
        bytes += mac + tac
    }
}
