import FuelPassbook
import GreyLock
import ISO7816
package import Metering
package import Records

/// Why a side cannot go on. The outputs are off when it is thrown.
package enum SideFailure: Error, Equatable, Sendable {
    case storage(StorageFault)
    case pump(PumpFault)
}

/// Why a card's visit ends early.
enum Interruption: Error, Equatable {
    case refused(Refusal)
    case card(CardFault)
    case stop
    case failure(SideFailure)
}

extension Interruption {
    init(_ stop: CardStop) {
        self =
            switch stop {
            case .card(let fault): .card(fault)
            case .answered(let instruction, let status): .refused(Refusal(of: instruction, status))
            case .malformed(let instruction, let error): .refused(.answerMalformed(instruction, error))
            case .module(let error): .refused(.module(error))
            case .noKey(let index): .refused(.noKey(index))
            case .numbersUsedUp: .refused(.numbersUsedUp)
            }
    }
}

extension Refusal {
    init(of instruction: Instruction, _ status: StatusWord) {
        self =
            switch status {
            case .applicationLockedForGood: .lockedForGood
            case .counterAtMaximum: .numbersUsedUp
            case .authenticationMethodBlocked: .pinBlocked
            case _: .answer(instruction, status)
            }
    }
}

/// A card's step, which ends the visit when it stops.
func onCard<Value: ~Copyable>(_ step: () throws(CardStop) -> Value) throws(Interruption) -> Value {
    do throws(CardStop) { return try step() } catch { throw Interruption(error) }
}
