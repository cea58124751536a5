package import Codes

extension CustodyFault {
    package var code: KeyCode {
        switch self {
        case .held: .keyHeld
        case .equal: .keyEqual
        case .older: .keyOlder
        case .future: .keyFromTheFuture
        case .recordKeyHeld: .recordKeyHeld
        case .missing: .keyMissing
        case .sellsNothing: .keySellsNothing
        case .retired: .keyRetired
        case .sells: .keySells
        case .retiredJustNow: .keyRetiredJustNow
        case .full: .keysFull
        case .wornOut: .keysWornOut
        }
    }
}

extension KeyStoreFault {
    package var code: KeyCode {
        switch self {
        case .noKeyStore: .storeMissing
        case .otherFormat: .storeOtherFormat
        case .truncated: .storeCutShort
        case .isTerminals: .storeOfTerminal
        case .isIssuers: .storeOfIssuer
        case .otherTerminal: .storeOfOtherTerminal
        case .storageKeyWrongOrAltered: .storageKeyWrong
        case .passphraseWrongOrAltered: .passphraseWrong
        case .foreignKey: .storeForeignKey
        }
    }
}

extension ComponentFault {
    package var code: KeyCode {
        switch self {
        case .count: .componentCount
        case .zero: .componentZero
        case .equal: .componentEqual
        case .weakness: .componentWeak
        }
    }
}
