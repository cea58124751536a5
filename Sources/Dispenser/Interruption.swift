import FuelPassbook
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
