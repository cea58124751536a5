package import Codes
package import GPIO
package import Keypad
package import Metering
package import Records
import Threads

// The code of each fault of an edge or of the keys; those of cards, parameters and meters have theirs in the core, and those of keys beside them.

extension GPIOFault {
    package var code: PumpCode {
        switch self {
        case .noSuchChip: .chipMissing
        case .ambiguousChip: .chipAmbiguous
        case .notPermitted: .chipNotPermitted
        case .noSuchLine, .noLineOfName, .noSuchOffset: .lineMissing
        case .ambiguousLine: .lineAmbiguous
        case .wiredTwice: .lineWiredTwice
        case .lineBusy, .otherLineBusy: .lineHeld
        case .system: .gpioFailed
        }
    }
}

extension KeypadFault {
    package var code: PumpCode {
        switch self {
        case .missing: .keypadMissing
        case .unplugged: .keypadUnplugged
        case .notPermitted: .keypadNotPermitted
        case .notInput: .keypadNotInput
        case .noDigits: .keypadWithoutDigits
        case .held: .keypadHeld
        case .system: .keypadFailed
        }
    }
}

extension PulserFaultKind {
    package var code: PumpCode {
        switch self {
        case .missedEdges: .missedEdges
        case .deadLeg: .deadLeg
        case .sequenceGap: .sequenceGap
        case .bothTogether: .bothTogether
        case .silentEdges: .silentEdges
        case .flowGap: .flowGap
        case .tooFast: .tooFast
        case .noise: .noise
        case .reversed: .reversed
        case .switchGap: .switchGap
        }
    }
}

extension StorageFault {
    package var code: EventCode {
        if row != nil { return .notice(.damagedRow) }
        if refusesNumbers { return .refusal(.noNumber) }
        return .service(refusesStep ? .journalStepRefused : .journalFailed)
    }
}

extension ServiceFailure {
    /// Of a pump's failure.
    var pumpCode: PumpCode {
        if case .pump(let code) = code { code } else { .pumpFailed }
    }
}
