import Foundation
import Glibc
import TestPrograms
import Testing

/// Each slip leaves the store's bytes as they were, and the custodians know how to go on.
@Suite("Slips of custodians at a terminal", .timeLimit(.minutes(5)))
struct KeySlipsTests {
    @Test func table() throws {
        let bench = try CeremonyBench()
        let table = KeySlipTable(bench)
        let machine = KeySlipTable.machine(try SlippedSystem(in: bench.folder))
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
        slip.restore(table.bench)
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
            slip.done, slip.stream == .screen ? slip.says : Self.said(ceremony.tool), "\(status)",
            isSame ? "same" : "CHANGED",
        ]
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

    private static func said(_ tool: ProgramAtTerminal) -> String {
        tool.log.split(separator: "\n").last.map { String($0).replacing("greylock keys load: ", with: "") } ?? "-"
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
