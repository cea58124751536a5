import CardCryptography
import Foundation
import Glibc
import KeyCustody
import KeyFiles
import TestPrograms
import Testing

/// Each slip leaves the store's bytes as they were, and the custodians know how to go on.
@Suite("Slips of custodians at a terminal", .timeLimit(.minutes(5)))
struct KeySlipsTests {
    @Test func table() throws {
        let bench = try CeremonyBench()
        let table = KeySlipTable(bench)
        let machine = KeySlipTable.machine(
            try SlippedSystem(in: bench.folder),
            try SimulatedHousing(in: bench.folder)
        )
        var rows: [[String]] = []
        for slip in KeySlipTable.component + KeySlipTable.custodians + machine + KeySlipTable.interruptions {
            rows.append(try row(slip, table))
        }
        print(Self.text([["done", "printed", "exit status", "store"]] + rows))
        #expect(rows.count >= 25)
        try withoutSlip(table)
    }

    private func row(_ slip: KeySlip, _ table: KeySlipTable) throws -> [String] {
        let before = try table.bench.storeBytes
        try slip.prepare(table.bench)
        let other = slip.isOfTwo ? try table.bench.ceremony() : nil
        try other?.go(to: .name, table.first, table.second)
        let ceremony = try table.bench.ceremony(slip.options, environment: slip.environment)
        try slip.play(ceremony, table)
        if slip.stream == .screen {
            try ceremony.tool.wait(for: slip.says, on: .screen)
            if let next = slip.next { try ceremony.tool.wait(for: next, on: .screen) }
            try ceremony.tool.type("\u{3}")
        }
        let status = ceremony.tool.end()
        try other?.tool.type("\u{3}")
        #expect(other?.tool.end() ?? 1 == 1)
        try slip.restore(table.bench)
        #expect(status == slip.status, "\(slip.done): \(ceremony.tool.log)")
        if slip.stream == .log, !slip.says.isEmpty {
            #expect(ceremony.tool.log.contains(slip.says), "\(slip.done): \(ceremony.tool.log)")
        }
        let isSame = try table.bench.storeBytes == before
        #expect(isSame, "\(slip.done)")
        for sheet in [table.first, table.second] {
            #expect(!sheet.groups.contains { ceremony.tool.screen.contains($0.prefix(4)) }, "\(slip.done)")
        }
        return [
            slip.done, slip.stream == .screen ? slip.says : Self.said(ceremony.tool, slip.says), "\(status)",
            isSame ? "same" : "CHANGED",
        ]
    }

    /// The key is the same; the log has each with the envelope that he typed.
    @Test("two custodians exchange their sheets: the same key is stored, under their own names")
    func exchanged() throws {
        let first = PaperSheet(generating: .aes256)
        let second = PaperSheet(generating: .aes256)
        var keys: [[UInt8]] = []
        for sheets in [[(first, "17-A"), (second, "17-B")], [(second, "17-B"), (first, "17-A")]] {
            let bench = try CeremonyBench()
            let ceremony = try bench.ceremony()
            for (name, (sheet, envelope)) in zip(["Wang", "Li"], sheets) {
                try ceremony.introduce(name, envelope)
                try ceremony.type(sheet)
            }
            try ceremony.tool.wait(for: "Check value of the whole key: ", on: .screen)
            for name in ["Wang", "Li"] {
                try ceremony.answer("\(name): is it the one on your sheet, yes or no: ", "yes\r")
            }
            #expect(ceremony.tool.end() == 0, "\(ceremony.tool.log)")
            let held = try #require(try bench.keyStore.read())
            let transport = try #require(held.keys.only(.transport)?.secret)
            keys.append(transport.raw.withSpan { span in span.indices.map { span[$0] } })
            let entry = try #require(held.audit?.entries.last { $0.action == "load" })
            #expect(
                entry.facts.filter { ["custodian", "envelope", "seal"].contains($0.name) }.map(\.value)
                    == ["Wang", sheets[0].1, "unbroken", "Li", sheets[1].1, "unbroken"]
            )
        }
        #expect(Set(keys).count == 1)
    }

    @Test("the housing is opened while custodians type: what the service destroyed does not come back")
    func tampered() throws {
        let bench = try CeremonyBench()
        let housing = try SimulatedHousing(in: bench.folder)
        try bench.setTamperLine(housing.settings)
        let service = try ProgramAtTerminal(
            "greylock",
            ["run", "--config", bench.config],
            environment: housing.environment
        )
        try service.wait(for: "selling=none", on: .log)
        let table = KeySlipTable(bench)
        let ceremony = try bench.ceremony(environment: housing.environment)
        try ceremony.go(to: .confirmation, table.first, table.second)
        try housing.open()
        try service.wait(for: "the housing was opened, and the keys are destroyed", on: .log)
        #expect(service.end() == 77)
        try ceremony.tool.type("yes\r")
        try ceremony.answer("Li: is it the one on your sheet, yes or no: ", "yes\r")
        #expect(ceremony.tool.end() == 74)
        #expect(ceremony.tool.log.contains("was destroyed or replaced meanwhile"), "\(ceremony.tool.log)")
        for path in [bench.store, bench.store + ".greylock-draft", bench.storageKey] {
            #expect(!FileManager.default.fileExists(atPath: path), "\(path)")
        }
        let again = try bench.ceremony(environment: housing.environment)
        #expect(again.tool.end() == 69)
        #expect(again.tool.log.contains("the housing is open"), "\(again.tool.log)")
    }

    /// The same sheets are loaded then.
    private func withoutSlip(_ table: KeySlipTable) throws {
        let before = try table.bench.storeBytes
        let ceremony = try table.bench.ceremony()
        try ceremony.type(table.first, table.second)
        for name in ["Wang", "Li"] {
            try ceremony.answer("\(name): is it the one on your sheet, yes or no: ", "yes\r")
        }
        try ceremony.tool.wait(for: "loaded: TRANSPORT 0 1  check value ", on: .screen)
        #expect(ceremony.tool.end() == 0)
        #expect(try table.bench.storeBytes != before)
    }

    /// The line of it.
    private static func said(_ tool: ProgramAtTerminal, _ words: String) -> String {
        let line = tool.log.split(separator: "\n").last { words.isEmpty || $0.contains(words) }
        return line.map { String($0).replacing("greylock keys load: ", with: "") } ?? "-"
    }

    private static func text(_ rows: [[String]]) -> String {
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column < 3 ? cell.padding(toLength: widths[column], withPad: " ", startingAt: 0) : cell
            }
            .joined(separator: "  ")
        }
        .joined(separator: "\n")
    }
}
