import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import Issuer
import KeyBlocks
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import TestPrograms
import Testing

/// An issuer with a store, a card of it and a terminal with keys of its own, each step a program at a terminal; the card is in a
/// reader of a real pcscd.
final class IssuerScene {
    static let terminal = TerminalID(0x3100_0000_0017)
    static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(1))
    static let aid = "F0504554524F4C02"
    static let pin = "123456"
    private static let passphrase = "correct horse battery"
    private static let now: Int64 = 1_790_000_000

    let folder: TestFolder
    private let daemon: CardDaemon
    private let environment: [String]

    init(in folder: TestFolder, environment: [String: String] = [:]) throws {
        self.folder = folder
        daemon = try CardDaemon(port: CardDaemon.freePorts())
        self.environment = environment.map { "\($0)=\($1)" }
        try folder.write("storage-key", SystemRandom().bytes(32))
    }

    // MARK: - Programs

    func start(_ arguments: [String]) throws -> ProgramAtTerminal {
        try ProgramAtTerminal("greylock", arguments, environment: environment)
    }

    func start(_ arguments: String...) throws -> ProgramAtTerminal { try start(arguments) }

    /// - Returns: what stands on the screen, where standard output goes too, and in the log.
    @discardableResult
    func run(_ arguments: String..., status: Int32 = 0) throws -> String {
        try end(start(arguments), arguments, status: status)
    }

    /// The same of one that opens the issuer's store.
    ///
    /// - Parameter pin: of the card, where it is asked for.
    @discardableResult
    func runWithStore(_ arguments: [String], pin: String? = nil, status: Int32 = 0) throws -> String {
        let tool = try start(arguments)
        try typePassphrase(tool)
        if let pin {
            try tool.wait(for: "PIN: ", on: .screen)
            try tool.type(pin + "\r")
        }
        return try end(tool, arguments, status: status)
    }

    private func end(_ tool: ProgramAtTerminal, _ arguments: [String], status: Int32) throws -> String {
        let ended = tool.end()
        tool.readScreen()
        #expect(ended == status, "\(arguments): \(tool.screen)\(tool.log)")
        return tool.screen + tool.log
    }

    func typePassphrase(_ tool: ProgramAtTerminal) throws {
        try tool.wait(for: "passphrase of ", on: .screen)
        try tool.wait(for: ": ", on: .screen)
        try tool.type(Self.passphrase + "\r")
    }

    // MARK: - The issuer

    func newIssuer() throws {
        let tool = try start("keys", "new", "--store", folder.path("issuer"))
        for question in ["new passphrase: ", "again: "] {
            try tool.wait(for: question, on: .screen)
            try tool.type(Self.passphrase + "\r")
        }
        #expect(tool.end() == 0)
    }

    func openIssuer() throws -> KeyStore {
        var digits = Array(Self.passphrase.utf8)
        return try KeyStore(opening: folder.bytes("issuer"), passphrase: LockedBuffer(wiping: &digits), at: Self.now)
    }

    // MARK: - The card

    func newCard() throws {
        let profile = try folder.file(
            "card.toml",
            """
            issuer = "GREYLOCK"
            asn = "00010000000000000043"
            valid_from = "2024-01-01"
            valid_to = "2049-12-31"
            balance_fen = 50000
            pin = "demonstration"
            keys = "\(folder.path("issuer"))"
            """
        )
        try runWithStore(["card", "new", "--profile", profile, "--state", folder.path("card")])
    }

    func insertCard() throws -> ProgramAtTerminal {
        let places = ["--state", folder.path("card"), "--keys", folder.path("issuer"), "--aid", Self.aid]
        let card = try start(["card", "serve", "--vpcd", "\(daemon.port)"] + places)
        try typePassphrase(card)
        try card.wait(for: "is in the reader", on: .log)
        return card
    }

    /// pcscd sees it a little later; where no service has the card, it is asked for until then.
    func insertCardAndWait() throws -> ProgramAtTerminal {
        let card = try insertCard()
        let patience = Patience()
        while try Program("greylock", ["card", "status", "--aid", Self.aid]).end() == 69, patience.milliseconds > 0 {}
        return card
    }

    func takeOut(_ card: ProgramAtTerminal) throws {
        card.signal(SIGTERM)
        try card.wait(for: "is out of the reader", on: .log)
        #expect(card.end() == 0)
    }

    // MARK: - The terminal

    /// - Parameters:
    ///   - speed: of the pump, whose customer takes five litres.
    ///   - more: of the settings of its keys.
    func configure(grace: Int? = nil, speed: Int, more: String = "") throws -> String {
        let text = ServiceConfiguration.text(
            journal: (folder.path("journal.sqlite"), ""),
            board: #"aid = "\#(Self.aid)""#,
            card: ServiceConfiguration.reader,
            pin: "terminal",
            grace: grace,
            pump: ServiceConfiguration.simulated(centilitres: 500, speed: speed),
            isSealed: false
        )
        .replacing("demonstration = true", with: "demonstration = false")
        .replacing("001122334455", with: "\(Self.terminal)")
        return try folder.file(
            "greylock.toml",
            """
            \(text)
            [keys]
            store = "\(folder.path("keys"))"
            storage_key = "\(folder.path("storage-key"))"
            \(more)
            """
        )
    }

    /// As after a ceremony: the transport key is in the terminal's store; MPK and record key are in a file of blocks.
    func storeTransportKey(and issuer: KeyStore) throws {
        let masters = try #require(issuer[Self.reference])
        let made = try TransactionTime(secondsSince1970: Int(Self.now))
        let raw = SystemRandom().secret(32)
        let transport = TransportKey(.aes, raw.part(0..<32))
        let store = TerminalKeyStore(
            folder.path("keys"),
            of: Self.terminal,
            storageKey: .file(folder.path("storage-key"))
        )
        var change = try store.beginChange()
        let name = HeldKeyName(.transport, Self.reference)
        try change.keys.load(KeyDelivery(name, .aes, made: made, raw), .components, at: Self.now)
        try change.store()
        var blocks = ""
        for usage in [KeyUsage.purchaseMaster, .record] {
            let key = usage == .record ? masters.recordKey(of: Self.terminal) : masters.purchaseMaster()
            let delivery = KeyDelivery(HeldKeyName(usage, Self.reference), .tripleDES, made: made, key)
            blocks += try transport.block(of: delivery, for: Self.terminal, random: SystemRandom()) + "\n"
        }
        _ = try folder.file("blocks", blocks)
    }

    /// - Returns: what the load said.
    @discardableResult
    func loadAndActivate(_ config: String) throws -> String {
        let loaded = try run("keys", "load", "--config", config, folder.path("blocks"))
        try sealMeters(config)
        try run("keys", "activate", "--config", config, "1", "1")
        return loaded
    }

    /// As a technician and a second person do it, once the terminal has its record key.
    func sealMeters(_ config: String) throws {
        let file = try folder.file("meters.toml", ServiceConfiguration.meters)
        let arguments = [
            "parameters", "import", file, "--config", config, "--name", "A", "--second", "B", "--reason", "x",
        ]
        _ = try end(start(arguments), arguments, status: 0)
    }

    func startService(_ config: String) throws -> ProgramAtTerminal {
        let service = try start("run", "--config", config)
        try service.wait(for: "insert your card", on: .log)
        return service
    }

    func typePIN(_ service: ProgramAtTerminal) throws {
        // The prompt of the visit before was shown again with each digit.
        try service.wait(for: "Reading your card...", on: .screen)
        try service.wait(for: "your PIN, then Enter: ", on: .screen)
        try service.type(Self.pin + "\r")
    }

    func end(_ service: ProgramAtTerminal) {
        service.signal(SIGTERM)
        #expect(service.end() == 0, "\(service.log)")
    }
}
