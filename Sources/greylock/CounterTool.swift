import ArgumentParser
import CardCryptography
import CardWorkshop
import Console
import Counter
import FuelPassbook
import ISO7816
import Issuer
import Quantities
import SecurityModule
import Station
import Threads
import Words

struct CounterTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counter",
        abstract: "The issuer's counter: money onto cards and off them, grey cards released, PINs.",
        subcommands: [
            CounterNew.self, CounterUnlock.self, CounterLoad.self, CounterUnload.self, CounterPIN.self,
            CounterJudge.self, CounterList.self, CounterClose.self, CounterAccept.self,
        ]
    )

    static let exitStatus = """
        Exit status: 0; 1 when the card or its holder refuses, or no passphrase was typed, and nothing was changed; 65 for a file or an amount that is refused; \
        69 without a terminal, reader or card, or with a clock that is not set or behind the book; 74 when the store or the book cannot \
        be read or written, or the book is not the newest; 75 when the card's answer is lost: give the command again with the same \
        card. \(ExitStatusHelp.common)
        """
}

/// EX_TEMPFAIL of sysexits.h.
private let answerLost: Int32 = 75

func stopped<Value: ~Copyable>(_ body: () throws(CounterStop) -> Value) throws(ServiceFailure) -> Value {
    do throws(CounterStop) { return try body() } catch {
        switch error {
        case .card(let fault): throw ServiceFailure(fault)
        case .refused(let reason): throw ServiceFailure(exitStatus: 1, reason: reason)
        case .data(let reason): throw ServiceFailure(exitStatus: KeyTool.refused, reason: reason)
        case .book(let reason): throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: reason)
        case .open(let reason): throw ServiceFailure(exitStatus: answerLost, reason: reason)
        }
    }
}
