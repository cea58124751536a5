import Foundation
import Testing

/// Random edits of a journal's files and rows, in processes of their own: `JournalEdits` says what counts as harmless.
struct RandomEditsTests {
    /// `GREYLOCK_JOURNAL_EDITS` asks for more: 10,000 take minutes.
    private static let count = ProcessInfo.processInfo.environment["GREYLOCK_JOURNAL_EDITS"] ?? "400"

    @Test func eachIsNamedOrHarmlessAndNoneCrashes() throws {
        let process = Process()
        let said = Pipe()
        // The tests' own program lies where the others do.
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "JournalEdits")
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "1800", program.path, Self.count]
        process.standardOutput = said
        try process.run()
        let words = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        print("\(Self.count) random edits of a journal:\n\(words)")
        #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(words)")
    }
}
