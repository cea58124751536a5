package import ISO7816

// The passbook's own status words (spec/grey-lock.md, section 3).

extension StatusWord {
    /// `6901`: the command is not accepted in the purse's present state.
    package static let commandNotAccepted = StatusWord(rawValue: 0x6901)
    /// `6989`: the purse is grey-locked.
    package static let purseIsGrey = StatusWord(rawValue: 0x6989)
    /// `9302`
    package static let macInvalid = StatusWord(rawValue: 0x9302)
    /// `9303`: the application is locked for good.
    package static let applicationLockedForGood = StatusWord(rawValue: 0x9303)
    /// `9401`
    package static let insufficientFunds = StatusWord(rawValue: 0x9401)
    /// `9402`
    package static let counterAtMaximum = StatusWord(rawValue: 0x9402)
    /// `9403`
    package static let keyIndexNotSupported = StatusWord(rawValue: 0x9403)
    /// `9406`: the requested transaction proof is not kept.
    package static let proofNotAvailable = StatusWord(rawValue: 0x9406)
}
