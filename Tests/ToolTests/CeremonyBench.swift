import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Quantities
import TestFolders
import TestPrograms

/// The sheet of a component, as a custodian reads it.
struct PaperSheet {
    let digits: String
    let checkValue: String
    private let component: KeyComponent
    private let kind: ComponentKind

    init(_ component: KeyComponent, _ kind: ComponentKind) {
        self.component = component
        self.kind = kind
        digits = component.sheetText().withSpan { span in String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
        }
        checkValue = component.checkValue(kind).map { String(format: "%02X", $0) }.joined()
    }

    init(_ digits: String, _ kind: ComponentKind) { self.init(KeyComponent(LockedBuffer(hexadecimal: digits)), kind) }

    init(generating kind: ComponentKind) { self.init(KeyComponent(generating: kind), kind) }

    var raw: [UInt8] { component.raw.withSpan { span in span.indices.map { span[$0] } } }

    /// From 0.
    var groups: [String] { digits.split(separator: " ").map(String.init) }

    /// The other component of a key.
    func partner(making key: String) -> PaperSheet {
        var other = LockedBuffer(hexadecimal: key)
        component.raw.withSpan { part in
            other.withMutableSpan { other in for index in part.indices { other[index] ^= part[index] } }
        }
        return PaperSheet(KeyComponent(other), kind)
    }
}

/// A terminal with keys of index and version 1, whose custodians are about to do something.
struct CeremonyBench {
    static let terminal = TerminalID(0x3100_0000_0017)
    static let reference = KeyReference(index: KeyIndex(1), version: KeyVersion(1))

    let folder: TestFolder
    let config: String
    let store: String
    let storageKey: String

    init(holding usages: [KeyUsage] = [.record]) throws {
        folder = try TestFolder()
        store = folder.path("keys")
        storageKey = try folder.file("storage-key", String(repeating: "k", count: 32))
        unsafe _ = chmod(storageKey, 0o600)
        config = folder.path("greylock.toml")
        try setTamperLine("")
        var change = try keyStore.beginChange()
        for usage in usages {
            let secret = SystemRandom().secret(DoubleLengthKey.length)
            try change.keys.load(Self.delivery(usage, secret), .block, at: 1_790_000_000)
        }
        try change.store()
    }

    /// Of index and version 1.
    static func delivery(_ usage: KeyUsage, _ key: consuming LockedBuffer) throws -> KeyDelivery {
        let name = HeldKeyName(usage, KeyReference(index: KeyIndex(1), version: KeyVersion(1)))
        return KeyDelivery(name, .tripleDES, made: try TransactionTime(secondsSince1970: 1_790_000_000), key)
    }

    /// - Parameter tamper: `[keys.tamper]`; empty for a board without it.
    func setTamperLine(_ tamper: String) throws { _ = try folder.file("greylock.toml", configuration + "\n" + tamper) }

    private var configuration: String {
        ServiceConfiguration.text(
            journal: (folder.path("journal"), ", capacity = 64"),
            board: #"aid = "F0504554524F4C02""#,
            card: ServiceConfiguration.reader,
            pin: "terminal",
            pump: ServiceConfiguration.simulated(centilitres: 500, speed: 10),
            isSealed: false
        )
        .replacing("demonstration = true", with: "demonstration = false")
        .replacing("001122334455", with: "\(Self.terminal)")
            + "\n[keys]\nstore = \"\(store)\"\nstorage_key = \"\(storageKey)\""
    }

    var keyStore: TerminalKeyStore { TerminalKeyStore(store, of: Self.terminal, storageKey: .file(storageKey)) }

    /// A tool with the terminal's configuration: what it says on standard error, or on its output.
    func run(
        _ tool: String,
        _ verb: String,
        _ arguments: [String],
        readsOutput: Bool = false
    ) throws -> (status: Int32, said: String) {
        let program = try Program("greylock", [tool, verb, "--config", config] + arguments, readsOutput: readsOutput)
        let status = program.end()
        return (status, program.lines.joined(separator: "\n"))
    }

    var storeBytes: [UInt8] { get throws { Array(try Data(contentsOf: URL(filePath: store))) } }

    func ceremony(_ options: [String] = [], environment: [String] = []) throws -> Ceremony {
        Ceremony(
            tool: try ProgramAtTerminal(
                "greylock",
                ["keys", "load", "--config", config] + options,
                environment: environment
            )
        )
    }
}

/// A ceremony at its terminal, played by custodians.
struct Ceremony {
    /// What is asked, in its order; the first custodian's, and what comes behind.
    enum Prompt: String, CaseIterable {
        case name, envelope, seal, component, checkValue, secondName, secondComponent, confirmation
    }

    let tool: ProgramAtTerminal

    func answer(_ question: String, _ text: String) throws {
        try tool.wait(for: question, on: .screen)
        try tool.type(text)
    }

    func introduce(_ name: String = "Wang", _ envelope: String = "17-A", seal: String = "yes") throws {
        try answer("your name: ", name + "\r")
        try answer("envelope's number: ", envelope + "\r")
        try answer("yes or no: ", seal + "\r")
    }

    func type(_ sheet: PaperSheet) throws {
        try answer(" 0 of ", sheet.digits)
        try answer("digits: ", sheet.checkValue + "\r")
    }

    /// Both custodians, up to the confirmations.
    func type(_ first: PaperSheet, _ second: PaperSheet) throws {
        try introduce()
        try type(first)
        try introduce("Li", "17-B")
        try type(second)
    }

    func go(to prompt: Prompt, _ first: PaperSheet, _ second: PaperSheet) throws {
        switch prompt {
        case .name: try tool.wait(for: "your name: ", on: .screen)
        case .envelope:
            try answer("your name: ", "Wang\r")
            try tool.wait(for: "envelope's number: ", on: .screen)
        case .seal:
            try answer("your name: ", "Wang\r")
            try answer("envelope's number: ", "17\r")
            try tool.wait(for: "yes or no: ", on: .screen)
        case .component:
            try introduce()
            try answer(" 0 of ", String(first.digits.prefix(25)))
            try tool.wait(for: " 3 of ", on: .screen)
        case .checkValue:
            try introduce()
            try answer(" 0 of ", first.digits)
            try tool.wait(for: "digits: ", on: .screen)
        case .secondName:
            try introduce()
            try type(first)
            try tool.wait(for: "your name: ", on: .screen)
        case .secondComponent:
            try introduce()
            try type(first)
            try introduce("Li", "17-B")
            try tool.wait(for: " 0 of ", on: .screen)
        case .confirmation:
            try type(first, second)
            try tool.wait(for: "Wang: is it the one on your sheet, yes or no: ", on: .screen)
        }
    }
}
