import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

@Suite("A tool that asks for a secret", .timeLimit(.minutes(10)))
struct ToolPromptTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func tool() throws -> ProgramAtTerminal {
        let tool = try ProgramAtTerminal("greylock", ["keys", "new", "--store", folder.path("keys")])
        try tool.wait(for: "new passphrase: ", on: .screen)
        return tool
    }

    @Test("Ctrl-C gives the terminal back and is no success", arguments: ["\u{3}", "\u{1C}", "\u{4}"])
    func cancelled(key: String) throws {
        let tool = try tool()
        try tool.type("secret" + key)
        #expect(tool.end() == 1)
        #expect(tool.isOrdinary)
        #expect(!tool.screen.contains("secret"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("keys")))
    }

    @Test("a signal ends it with the terminal given back", arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV])
    func signalled(number: Int32) throws {
        let tool = try tool()
        #expect(!tool.isOrdinary)
        tool.signal(number)
        #expect(tool.end() == -number)
        #expect(tool.isOrdinary)
    }

    @Test("nothing typed is shown; keys edit; what was typed before a question is thrown away")
    func typed() throws {
        let tool = try tool()
        try tool.type("\u{1A}wrong\u{15}correct\u{1B}[D horsé\u{7F}e\r")
        try tool.wait(for: "again: ", on: .screen)
        try tool.type("correct horse\r")
        try tool.wait(for: "new keys are in", on: .screen)
        #expect(tool.end() == 0)
        #expect(tool.isOrdinary)
        for text in ["wrong", "correct", "horse"] { #expect(!tool.screen.contains(text)) }
    }

    @Test("a terminal that goes away ends it")
    func gone() throws {
        let tool = try tool()
        tool.hangUp()
        #expect(tool.end() != 0)
    }
}
