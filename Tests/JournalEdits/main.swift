import Foundation
import Glibc

// `JournalEdits COUNT [SEED]`: makes COUNT random edits of a journal's files and rows, starts the service's journal and
// side on each, reads it as `greylock records` does, and counts what came of them. Exit status 1 when one crashed, or
// changed something that nobody named.
//
// The work is done by processes of its own, `JournalEdits SEED FROM TO`, so that a trap is an outcome.

func number(_ index: Int) -> Int {
    guard CommandLine.arguments.count > index else { return 1 }
    guard let number = Int(CommandLine.arguments[index]) else { fatalError("usage: JournalEdits COUNT [SEED]") }
    return number
}

if CommandLine.arguments.count == 4 {
    try Worker(seed: UInt64(number(1))).run(number(2)..<number(3))
} else {
    exit(try Count(edits: number(1), seed: number(2)).run())
}
