import Codes
import Console
import Explanations
import Foundation
import TestFolders
import TestPrograms
import Testing

@Suite("The journal's catalogue")
struct CatalogueTests {
    private static let journalctl = "/usr/bin/journalctl"

    @Test(
        "journalctl takes the catalogue, and gives each code's text by its message id",
        .enabled(if: FileManager.default.isExecutableFile(atPath: journalctl), "without journalctl")
    )
    func taken() throws {
        let folder = try TestFolder()
        let catalogue = try Run("greylock", ["explain", "--catalogue"])
        #expect(catalogue.status == 0)
        for place in ["usr/lib/systemd/catalog", "var/lib/systemd/catalog"] {
            try FileManager.default.createDirectory(atPath: folder.path(place), withIntermediateDirectories: true)
        }
        _ = try folder.file("usr/lib/systemd/catalog/greylock.catalog", catalogue.output)
        let update = try Run(script: "\(Self.journalctl) --update-catalog --root \"$1\"", [folder.url.path])
        #expect(update.status == 0 && update.error.isEmpty, "\(update.error)")
        let list = try Run(script: "\(Self.journalctl) --list-catalog --root \"$1\"", [folder.url.path])
        let dump = try Run(script: "\(Self.journalctl) --dump-catalog --root \"$1\"", [folder.url.path])
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == EventCode.allCases.count)
        for code in EventCode.allCases {
            let id = "\(MessageID(of: code))"
            #expect(
                lines.contains { $0.hasPrefix("\(id) ") && $0.contains(code.explanation.subject) },
                "\(code.rawValue)"
            )
            let text = try #require(dump.output.components(separatedBy: "-- \(id)\n").dropFirst().first)
            let own = text.components(separatedBy: "\n-- ")[0]
            for line in code.explanation.lines { #expect(own.contains(line), "\(code.rawValue): \(line)") }
            #expect(own.contains("GREYLOCK_CAUSE") == code.hasCause)
        }
    }
}
