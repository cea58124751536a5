import ArgumentParser
import CardCryptography
import Console
import Counter
import FuelPassbook
import Station
import Threads

struct CounterPIN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Change a card's PIN, or set a new one by the issuer.",
        discussion: """
            With neither flag the holder types the old PIN and the new one twice. A card that takes no more tries, or whose holder forgot \
            the PIN, gets a new one with --unblock. See who the holder is before.

            \(CounterTool.exitStatus)
            """
    )

    @OptionGroup var files: CounterFiles
    @OptionGroup var place: CounterCard

    @Flag(help: "Set a new PIN by the issuer, without the old one; it fills the card's tries.")
    var unblock = false

    @Flag(help: "The same by RELOAD PIN, for cards that know no PIN UNBLOCK; where nobody can listen to the reader.")
    var reload = false

    func validate() throws {
        guard !(unblock && reload) else { throw ValidationError("give either --unblock or --reload") }
    }

    func run() throws {
        try runTool("counter pin") { () throws(ServiceFailure) in
            let counter = try files.open()
            try place.visit(counter) { (visit) throws(CounterStop) in
                _ = try visit.judgeByProof()
                if unblock {
                    try visit.unblockPIN(try newPIN())
                } else if reload {
                    try visit.reloadPIN(try newPIN())
                } else {
                    let old = try CounterCard.typed { () throws(ServiceFailure) in try PINPrompt().ask("old PIN") }
                    try visit.changePIN(old: old, new: try newPIN())
                }
                writeLine("card \(visit.card.masked): the new PIN is set")
            }
        }
    }

    private func newPIN() throws(CounterStop) -> PIN {
        try CounterCard.typed { () throws(ServiceFailure) in try PINPrompt().askNew() }
    }
}
