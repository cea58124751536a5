import Foundation
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD.TokenSalesTests {
    enum TokenSlip: CaseIterable {
        /// And the session that was logged in is lost.
        case wrongPIN
        /// Another program has removed it.
        case objectMissing

        var words: String {
            switch self {
            case .wrongPIN: "token greylock: it refuses the PIN"
            case .objectMissing: "token greylock has no key MPK 1 1 310000000017"
            }
        }
    }

    @Test(
        "a PIN that becomes wrong, or a key that is gone, before a card comes: it is refused in words, and pays when that is mended",
        arguments: TokenSlip.allCases
    )
    func slipBeforeMAC1(slip: TokenSlip) throws {
        let other = try OtherProgram(self)
        let service = try armed()
        try make(slip, other)
        // A key that is gone is missed when it is asked for.
        if slip == .wrongPIN { try service.wait(for: slip.words, on: .log) }
        let refused = try visit(service)
        try service.wait(for: "index 1, version 1 cannot be asked: \(slip.words)", on: .log)
        try scene.takeOut(refused)
        try mend(slip, other, service)
        let card = try visit(service)
        try service.wait(for: "notice paid", on: .log)
        try scene.takeOut(card)
        scene.end(service)
        #expect(try scene.run("records", "--config", config).split(separator: "\n").count { $0.contains("39.25") } == 1)
    }

    @Test(
        "the same while fuel flows, and when the debit asks the token already: the record settles later",
        arguments: TokenSlip.allCases,
        ["in mid-flow", "at the debit"]
    )
    func slipMeanwhile(slip: TokenSlip, moment: String) throws {
        let other = try OtherProgram(self)
        let service = try armed()
        let card = try visit(service)
        try service.wait(for: "state=fuelling", on: .log)
        // Another program takes as long as it takes: the debit is not to find the key before it has removed it.
        if slip == .objectMissing || moment == "at the debit" { token.freeze() }
        if moment == "at the debit" { try service.wait(for: "state=settling", on: .log) }
        try make(slip, other)
        token.thaw()
        // Of a server that is being started again, or stood still for too long, it may have been another reason first.
        try service.wait(for: "cannot be asked: token greylock", on: .log)
        try scene.takeOut(card)
        let records = try scene.run("records", "--config", config)
        #expect(records.contains("39.25"), "all of the fuel that was asked for flowed: \(records)")
        try mend(slip, other, service)
        try expectSettlesLater(service)
    }

    private func make(_ slip: TokenSlip, _ other: OtherProgram) throws {
        switch slip {
        case .wrongPIN:
            try folder.write("pin", Array("11111111".utf8))
            token.stop()
            try token.serve()
        case .objectMissing: try other.removeKeys()
        }
    }

    /// Returns when the service has seen it.
    private func mend(_ slip: TokenSlip, _ other: OtherProgram, _ service: ProgramAtTerminal) throws {
        func isSaid() -> Bool {
            service.log.split(separator: "\n").contains {
                $0.contains("error \(slip.words)") && $0.contains("cards whose key it has are not served")
            }
        }
        while !isSaid() { try service.wait(for: "cards whose key it has are not served", on: .log) }
        switch slip {
        case .wrongPIN: try folder.write("pin", Array(SoftToken.pin.utf8))
        case .objectMissing: try other.putKeysBack()
        }
        try service.wait(for: "the token serves", on: .log)
        #expect(!service.log.contains("11111111") && !service.log.contains(SoftToken.pin))
    }
}

/// Who uses the same token with SoftHSM's module in his own process, and has a store of the terminal's transport key alone.
private struct OtherProgram {
    private let terminal: WithPCSCD.TokenSalesTests
    private let config: String
    private let before: [String: [UInt8]]

    init(_ terminal: WithPCSCD.TokenSalesTests) throws {
        self.terminal = terminal
        let folder = terminal.folder
        before = try Dictionary(
            uniqueKeysWithValues: ["keys", "keys-audit", "storage-key"].map { ($0, try folder.bytes($0)) }
        )
        let text = try String(contentsOfFile: terminal.config, encoding: .utf8)
        let moved = before.keys.reduce(text) { text, name in
            text.replacing("\"\(folder.path(name))\"", with: "\"\(folder.path("other-\(name)"))\"")
        }
        config = try folder.file(
            "other.toml",
            moved.replacing("journal.sqlite", with: "other.sqlite").replacing(SoftToken.client, with: SoftToken.module)
        )
    }

    private func start() throws {
        for (name, bytes) in before { try terminal.folder.write("other-\(name)", bytes) }
    }

    func removeKeys() throws {
        try start()
        let erase = [
            "keys", "erase", "--config", config, "--all", "--reason", "test", "--yes-terminal", "310000000017",
        ]
        let tool = try terminal.scene.start(erase)
        #expect(tool.end() == 0, "\(tool.log)")
        tool.readScreen()
        #expect(tool.screen.contains("destroyed: the keys in the token"), "\(tool.screen)")
    }

    func putKeysBack() throws {
        try start()
        let tool = try terminal.scene.start(["keys", "load", "--config", config, terminal.folder.path("blocks")])
        #expect(tool.end() == 0, "\(tool.log)")
    }
}
