import Configuration
import Foundation
import TestFolders
import Testing

/// The mark is written over: it is no other file of the service, whatever path names it.
struct MarkPathTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
        try FileManager.default.createDirectory(atPath: folder.path("q"), withIntermediateDirectories: false)
    }

    private func path(_ name: String) -> String { folder.path(name) }

    private func expected(_ mark: String) throws -> String? {
        let file = path("service.toml")
        var sample = SampleConfiguration.demonstration
        sample.lines = sample.lines.flatMap { line in
            switch line {
            case "path = '/tmp/journal.sqlite'": ["path = '\(path("q/journal"))'", "mark = '\(mark)'"]
            case "kind = 'virtual'": [line, "state = '\(path("card"))'"]
            case _: [line]
            }
        }
        let text = sample.lines.joined(separator: "\n")
        try Data(text.utf8).write(to: URL(filePath: file))
        do throws(ConfigurationError) {
            _ = try Configuration(toml: Array(text.utf8), file: file)
            return nil
        } catch {
            return error.key == "journal.mark" ? error.expected : "\(error)"
        }
    }

    @Test func anotherNameOfAFileOfTheServiceIsRefused() throws {
        try FileManager.default.createSymbolicLink(atPath: path("nowhere"), withDestinationPath: "q/journal")
        let q = path("q")
        for isThere in [false, true] {
            if isThere {
                for name in ["q/journal", "card"] { try Data("x".utf8).write(to: URL(filePath: path(name))) }
                try FileManager.default.linkItem(atPath: path("q/journal"), toPath: path("hard"))
            }
            for mark in ["\(q)/journal", "\(q)/../q/journal", "\(q)//journal", path("nowhere")] {
                #expect(try expected(mark) == "another file than the journal", "\(mark)")
            }
            for suffix in ["-wal", "-journal", "-shm", "-beat"] {
                let words = "another file than the journal's \(suffix) file"
                #expect(try expected("\(q)/../q/journal\(suffix)") == words)
            }
            #expect(try expected("\(q)/../service.toml") == "another file than this configuration")
            #expect(try expected("\(q)/../card") == "another file than the card's state")
            #expect(try expected("\(q)/journal-mark") == nil)
        }
        #expect(try expected(path("hard")) == "another file than the journal")
    }
}
