import Console
import Dispenser
import FuelPassbook
import Glibc
import Metering
import Quantities
import Records
import Station
import Words

/// The dispenser's face on a terminal: one line that counts, and a line for whatever is said.
///
/// Where standard output is no terminal, every full litre gets a line of its own.
final class LiveDisplay: SideDisplay {
    private let vocabulary = Language.technical.vocabulary
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var counter: String?
    private var shownLitres = -1
    private var said: Notice?

    func say(_ line: String) {
        finishCounter()
        writeLine("  " + line)
    }

    func show(_ state: SideState, _ notice: Notice) {
        guard notice != said || !notice.isStanding else { return }
        said = notice
        say("[\(place(state))] \(vocabulary.words(notice))")
    }

    func show(_ state: SideState, centilitres: Int, fen: Int, unitPrice: UnitPrice) {
        guard centilitres > 0 else { return }
        let line =
            "  [\(place(state))] \(litres(centilitres: centilitres).indented(toColumns: 8)) L"
            + "  \(yuan(fen: fen).indented(toColumns: 9)) yuan  at \(yuan(fen: unitPrice.fenPerLitre))"
        if isTerminal {
            guard line != counter else { return }
            counter = line
            writeLine("\r" + line, terminator: "")
        } else {
            guard centilitres / 100 != shownLitres else { return }
            shownLitres = centilitres / 100
            writeLine(line)
        }
    }

    func printReceipt(_ record: Record, balance: Amount?) {
        finishCounter()
        let lines = record.receiptLines(balance: balance, vocabulary)
        let width = lines.map(\.columns).reduce(24, max)
        let edge = "  +" + String(repeating: "-", count: width + 2) + "+"
        writeLine(edge)
        for line in lines { writeLine("  | \(line.padded(toColumns: width)) |") }
        writeLine(edge)
    }

    private func place(_ state: SideState) -> String { vocabulary.words(state).padded(toColumns: 10) }

    private func finishCounter() {
        if counter != nil { writeLine() }
        counter = nil
        shownLitres = -1
    }
}
