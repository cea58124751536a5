import Foundation
import Testing

/// The page that walks one sale through the files names a place for each step: each must be there.
struct OneSaleTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")

    private struct Row {
        let steps: [String]
        let places: [Place]
        /// The first name in the last cell.
        let write: String?
    }

    private struct Place {
        let file: String
        let function: String

        var exists: Bool {
            do {
                let url = OneSaleTests.sources.appendingPathComponent(file)
                let source = try String(contentsOf: url, encoding: .utf8)
                return source.contains("func \(function)(") || source.contains("func \(function)<")
            } catch {
                return false
            }
        }
    }

    private func rows() throws -> [Row] {
        let page = Self.sources.appendingPathComponent("Dispenser/Documentation.docc/One-sale.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        return try lines.filter { $0.hasPrefix("| ") && !$0.hasSuffix(" On disk then |") }.map { line in
            // An empty cell before the first bar and behind the last.
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            try #require(cells.count == 6, "\(line)")
            return Row(
                steps: cells[1].matches(of: /1\.[0-9]+/).map { String($0.output) },
                places: cells[3].matches(of: /`(\w+\/\w+\.swift)`: ((?:`\w+`(?:, )?)+)/).flatMap { place in
                    place.2.matches(of: /\w+/).map { Place(file: String(place.1), function: String($0.output)) }
                },
                write: cells[4].firstMatch(of: /`([a-z-]+)`/).map { String($0.1) }
            )
        }
    }

    @Test func eachRowNamesFilesAndFunctionsThatExist() throws {
        let rows = try rows()
        #expect(rows.count > 20)
        for row in rows {
            #expect(!row.places.isEmpty)
            for place in row.places { #expect(place.exists, "\(place.file): \(place.function)") }
        }
        #expect(!Place(file: "Dispenser/NoSuchFile.swift", function: "run").exists)
        #expect(!Place(file: "Dispenser/Refuel.swift", function: "noSuchFunction").exists)
    }

    @Test func theStepsAreTheSourcesInItsOrder() throws {
        #expect(try rows().flatMap(\.steps) == (1...15).map { "1.\($0)" })
    }

    @Test func theWritesAreThoseOfASale() throws {
        let station = try TestStation()
        station.scheduleRefuel(centilitres: 100)
        station.run()
        let written = station.log.entries.filter { $0.hasPrefix("journal: ") }.map { $0.dropFirst("journal: ".count) }
        let named = try rows().prefix { !$0.places.contains { $0.function == "escape" } }.compactMap(\.write)
        #expect(named == written.reduce(into: []) { if $0.last != String($1) { $0.append(String($1)) } })
    }
}
