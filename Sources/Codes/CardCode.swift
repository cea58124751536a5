/// Of a card, its reader, and the proofs between it and the security module.
package enum CardCode: String, CaseIterable, Sendable {
    case cardRemoved = "card-removed"
    case cardReaderFailed = "card-reader-failed"
    case cardInUse = "card-in-use"
    case cardUnresponsive = "card-unresponsive"
    case cardMalformed = "card-malformed"
    case cardDoesNotAnswer = "card-does-not-answer"
    case cardReader = "card-reader"
    case keyNotLoaded = "key-not-loaded"
    case keyNotInUse = "key-not-in-use"
    case keyHolderFails = "key-holder-fails"
    case algorithmNotSupported = "algorithm-not-supported"
    case mac1Wrong = "mac1-wrong"
    case mac2Wrong = "mac2-wrong"
    case mac3Wrong = "mac3-wrong"
    case sealBroken = "seal-broken"
}
