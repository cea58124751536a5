import Codes

extension KeyCode {
    var explanation: Explanation {
        switch self {
        case .keyHeld:
            Explanation(
                "A key of this name is held",
                "Another one of the same name is not taken.",
                money: .nothing,
                .custodian("give it another version, or erase the one that is held")
            )
        case .keyEqual:
            Explanation(
                "The key is held under another name",
                "The same key twice protects less than it seems.",
                money: .nothing,
                .custodian("tell the issuer")
            )
        case .keyOlder:
            Explanation(
                "The block is older than the key that was held",
                "An older block may be a replayed one.",
                money: .nothing,
                .issuer("make the block anew: greylock keys wrap")
            )
        case .keyFromTheFuture:
            Explanation(
                "The block was made later than now",
                "Clocks differ by more than a day.",
                money: .nothing,
                .technician("set the clock of the board"),
                .issuer("see the clock of the machine that made the block")
            )
        case .recordKeyHeld:
            Explanation(
                "Records are coded under the one that is held",
                "A second record key is not taken.",
                money: .nothing,
                .custodian("nothing is to be done, or begin a new store")
            )
        case .keyMissing:
            Explanation(
                "There is no such key",
                "None of this name is held.",
                money: .nothing,
                .custodian("greylock keys list")
            )
        case .keySellsNothing:
            Explanation(
                "Not a purchase master",
                "A transport or record key is not activated or retired.",
                money: .nothing,
                .custodian("name a purchase master")
            )
        case .keyRetired:
            Explanation(
                "The key is retired",
                "It sells no more, and is not activated again.",
                money: .nothing,
                .custodian("load a newer version")
            )
        case .keySells:
            Explanation(
                "The key sells",
                "It is not erased while a sale may begin under it.",
                money: .nothing,
                .custodian("greylock keys retire, then erase")
            )
        case .keyRetiredJustNow:
            Explanation(
                "The key was retired a moment ago",
                "A running service may not have seen it yet.",
                money: .nothing,
                .custodian("the same command again in some seconds")
            )
        case .keysFull:
            Explanation(
                "No room for another purchase master",
                "128 are held.",
                money: .nothing,
                .custodian("erase those that are retired")
            )
        case .keysWornOut:
            Explanation(
                "No room for another name",
                "A store keeps 1,000 names, also of erased keys.",
                money: .nothing,
                .custodian("begin a new store")
            )
        case .storeMissing:
            Explanation(
                "The file is no key store",
                "Its first bytes are another file's.",
                money: .noSale,
                .custodian("see [keys] store")
            )
        case .storeOtherFormat:
            Explanation(
                "The key store is of another version",
                "A newer program made it, or it was altered. It was left as it is.",
                money: .noSale,
                .technician("install the newer program again")
            )
        case .storeCutShort:
            Explanation(
                "The key store is cut short",
                "Bytes are missing at its end.",
                money: .noSale,
                .custodian("load the keys again from sheets and blocks")
            )
        case .storeOfTerminal:
            Explanation(
                "A terminal's store, where the issuer's is expected",
                "It was left as it is.",
                money: .nothing,
                .issuer("name the issuer's store")
            )
        case .storeOfIssuer:
            Explanation(
                "The issuer's store, where a terminal's is expected",
                "It was left as it is.",
                money: .nothing,
                .custodian("an issuer's store has no place on a board")
            )
        case .storeOfOtherTerminal:
            Explanation(
                "The store is another terminal's",
                "Its id is not [terminal] id.",
                money: .noSale,
                .custodian("put this terminal's store back, or correct [terminal] id")
            )
        case .storageKeyWrong:
            Explanation(
                "The key store does not open",
                "It was altered, or sealed under another storage key: the two cannot be told apart.",
                money: .noSale,
                .custodian("see Sealing and recovery: the storage key, its credential and the TPM")
            )
        case .passphraseWrong:
            Explanation(
                "The passphrase does not open the store",
                "It was mistyped, or the file was altered.",
                money: .nothing,
                .issuer("type it again")
            )
        case .storeForeignKey:
            Explanation(
                "The store has a key that it must not have",
                "It was left as it is.",
                money: .noSale,
                .issuer("make it anew")
            )
        case .componentCount:
            Explanation(
                "Two or three components make a key",
                "Others are not taken.",
                money: .nothing,
                .custodian("one sheet a custodian")
            )
        case .componentZero:
            Explanation(
                "A component is zero",
                "It protects nothing.",
                money: .nothing,
                .custodian("have the sheets made again: greylock keys generate")
            )
        case .componentEqual:
            Explanation(
                "Two components are equal",
                "One was typed twice.",
                money: .nothing,
                .custodian("each custodian types the own sheet")
            )
        case .componentWeak:
            Explanation(
                "The key would be weak",
                "Its halves are equal, or it is one of the known weak ones.",
                money: .nothing,
                .custodian("have the sheets made again: greylock keys generate")
            )
        case .keyBlockRefused:
            Explanation(
                "A key block is not taken",
                "It is malformed, for another terminal, or does not open under this transport key.",
                money: .nothing,
                .custodian("greylock keys receipt says which transport key is held"),
                .issuer("make the block with the same sheets")
            )
        case .keysInUse:
            Explanation(
                "Which keys sell",
                "The versions of the purchase master that sell from now on.",
                money: .nothing
            )
        case .keysProtection:
            Explanation(
                "What protects the keys",
                "Where the storage key lies and what it protects against.",
                money: .nothing
            )
        case .keysUnread:
            Explanation(
                "The keys' file cannot be read",
                "The keys that were read serve on.",
                money: .nothing,
                .technician("look at the disk and at the rights of [keys] store")
            )
        case .keysFault:
            Explanation(
                "The keys are not in order",
                "The words behind it say what differs: an older copy, an audit log that does not fit.",
                money: .noSale,
                .custodian("greylock audit verify --config FILE; greylock keys list")
            )
        case .keysSwappable:
            Explanation(
                "Keys may be swapped out",
                "The service may not lock enough memory.",
                money: .nothing,
                .integrator("give the service LimitMEMLOCK=4M, as its unit does")
            )
        case .tokenFailed:
            Explanation(
                "The token does not serve",
                "Cards whose key it has are refused; what was sold is settled at the card's next visit.",
                money: .onDisk,
                .technician("see that it is plugged in, and that its PIN is right: a wrong one is tried once")
            )
        case .tokenServes:
            Explanation(
                "The token serves",
                "Cards of its keys are served.",
                money: .nothing
            )
        case .auditBroken:
            Explanation(
                "The audit log is broken",
                "Its entries do not follow one another, or a code is wrong.",
                money: .nothing,
                .custodian("greylock audit verify --config FILE; tell the issuer")
            )
        case .housingOpened:
            Explanation(
                "The housing was opened",
                "The tamper line was active. Valves are closed, and the keys are being destroyed, in memory first.",
                money: .issuers,
                .technician("close the housing"),
                .custodian("load the keys again")
            )
        case .keysDestroyed:
            Explanation(
                "What became of the keys on disk",
                "After the housing was opened, or by order.",
                money: .issuers,
                .custodian("when it is not complete, the lines before it name what is left: destroy it by hand")
            )
        }
    }
}
