import CardApplication
import CardCryptography
import Counter
import FuelPassbook
import ISO7816
import Issuer
import Quantities
import Records
import SecurityModule
import TestCards
import TestFolders
import Testing

/// A counter with its book, and a reader whose card gets lost on the way as a test says.
final class TestCounter {
    static let counter = TerminalID(0x3100_0000_0099)
    static let reference = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)

    let folder: TestFolder
    let reader: LossyReader
    /// One, or none while it is opened anew.
    private var held: [CounterBook]
    private(set) var findings: [CounterVisit.Finding] = []
    var pin: () throws(CounterStop) -> PIN = { () throws(CounterStop) in Demonstration.pin }

    init(_ card: TestCard, id: TerminalID = counter) throws {
        folder = try TestFolder()
        reader = LossyReader(card)
        let path = folder.path("book")
        let key = Self.key()
        try CounterBook.begin(path, counter: id, Self.reference, key: key, random: SystemRandom())
        held = [try CounterBook(path, key: key)]
    }

    static func key() -> CodeKey {
        demonstrationStore().bookKey()
    }

    /// As after the end of the process: what was in memory is gone.
    func restart() throws {
        reader.loss = nil
        findings = []
        held.removeAll()
        held.append(try CounterBook(path, key: Self.key()))
    }

    var book: CounterBook { held[0] }

    var path: String { folder.path("book") }

    func visit() throws(CounterStop) -> CounterVisit {
        var keys = IssuerKeys()
        keys.load(Demonstration.schemeKeys, index: Demonstration.keyIndex, version: Demonstration.keyVersion)
        let side = CounterVisit.Side(
            issuer: Issuer(keys: keys),
            references: [Self.reference],
            random: SystemRandom()
        )
        return try CounterVisit(reader, aid: Demonstration.aid, side: side, book: book) { self.findings.append($0) }
    }

    func load(_ fen: UInt32) throws(CounterStop) -> Bool {
        try visit().load(Amount(fen: fen), at: TestCard.time, pin: pin)
    }

    func unload(_ fen: UInt32) throws(CounterStop) -> Bool {
        try visit().unload(Amount(fen: fen), at: TestCard.time, pin: pin)
    }

    func unlock(_ basis: CounterVisit.UnlockBasis) throws(CounterStop) -> Bool {
        try visit().unlock(basis, at: TestCard.time, pin: pin)
    }
}

/// A reader that loses a command with MAC2, or its answer.
final class LossyReader: CardReader {
    enum Loss {
        /// The card never gets it.
        case before
        /// The card did it.
        case after
        /// The card did it, and a refusal arrives in its answer's place.
        case answerReplaced
        /// A refusal arrives, and the card never gets it.
        case refusalMadeUp
    }

    let card: TestCard
    var loss: Loss?
    /// Called as a command with MAC2 arrives.
    var arrived: () -> Void = {}
    /// Commands with MAC2 that the card got.
    private(set) var deliveries = 0

    init(_ card: TestCard) { self.card = card }

    func connect() throws(CardFault) { card.reset() }

    func transmit(_ command: Span<UInt8>) throws(CardFault) -> ResponseAPDU {
        let bytes = [UInt8](copying: command)
        guard [[0x80, 0x52], [0x80, 0x54], [0xE0, 0x54]].contains(Array(bytes.prefix(2))) else {
            return card.send(bytes)
        }
        arrived()
        switch loss {
        case .before: throw .removed
        case .refusalMadeUp: return ResponseAPDU(status: .macInvalid)
        case nil, .after, .answerReplaced: break
        }
        deliveries += 1
        let answer = card.send(bytes)
        switch loss {
        case .after: throw .removed
        case .answerReplaced: return ResponseAPDU(status: .macInvalid)
        case nil, .before, .refusalMadeUp: return answer
        }
    }

    func disconnect() {}
}

// MARK: - Grey records

extension TestCounter {
    /// A grey card and the file of its record.
    static func greyCard(amount fen: UInt32 = 7_85) throws -> (TestCard, [UInt8]) {
        let card = try TestCard()
        try card.bring(to: .grey)
        return (card, try file(of: card, amount: fen))
    }

    /// - Parameter scheme: whose terminal wrote it.
    static func file(
        of card: TestCard,
        amount fen: UInt32 = 7_85,
        balance: Amount? = nil,
        master: consuming LockedBuffer = demonstrationMaster()
    ) throws -> [UInt8] {
        let grey = try #require(card.image.grey)
        let module = module(master)
        let name = SealedGMAC(
            card: card.profile.card,
            terminal: TestCard.terminal,
            ttc: TestCard.ttc,
            ctc: grey.ctc,
            amount: Amount(fen: fen),
            key: reference,
            sealed: []
        )
        let sealed = recordKey().seal(of: TestCard.terminal)
            .seal(MAC(bytes: [1, 2, 3, 4]), as: name, random: SystemRandom())
        let record = GreyRecord(
            RecordNumber(1),
            mac3: grey.mac3,
            gmac: sealed,
            balance: balance ?? card.image.balance,
            imported: TestCard.time
        )
        return try module.greyRecordFile([record])
    }

    static func demonstrationMaster() -> LockedBuffer {
        demonstrationStore().newest.purchaseMaster()
    }

    static func demonstrationStore() -> KeyStore {
        KeyStore(
            converting: Demonstration.schemeKeys,
            KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            at: 0
        )
    }

    static var keys: KeyHolder { holder(demonstrationMaster()) }

    private static func holder(_ master: consuming LockedBuffer) -> KeyHolder {
        var keys = MasterKeys()
        keys.load(master, as: reference)
        return .lockedMemory(keys)
    }

    private static func recordKey() -> RecordKey {
        RecordKey(LockedBuffer(hexadecimal: "0123456789ABCDEF0123456789ABCDEF"), as: reference)
    }

    private static func module(_ master: consuming LockedBuffer) -> SecurityModule {
        SecurityModule(
            terminal: TestCard.terminal,
            keys: holder(master),
            recordKey: recordKey(),
            random: SystemRandom()
        )
    }

    static func records(_ bytes: [UInt8]) throws(CounterStop) -> CounterVisit.UnlockBasis {
        .records(try GreyRecordFile.carried(bytes, keys: keys))
    }
}

func reason(_ body: () throws(CounterStop) -> Void) -> CounterStop? {
    do throws(CounterStop) { try body() } catch { return error }
    return nil
}
