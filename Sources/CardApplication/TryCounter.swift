import ISO7816

/// A counter of the wrong codes that the card still takes; at zero it takes none.
enum TryCounter {
    case pin
    case gmac
    case upkeep
}

extension CardApplication {
    /// Takes a try from `counter`, durably. What follows compares the code, so that power cut at the comparison or at any
    /// write gains none (spec, D29; decision 0027).
    ///
    /// - Precondition: there is one left.
    /// - Returns: the card with that try back. When the code is right, the command commits this with its own changes, at
    ///   once; when it is wrong, nothing is left to write.
    mutating func takeTry(from counter: TryCounter) throws(StatusWord) -> CardImage {
        let before = image
        var lowered = image
        switch counter {
        case .pin: lowered.pinTriesLeft -= 1
        case .gmac: lowered.gmacTriesLeft -= 1
        case .upkeep: lowered.upkeepTriesLeft -= 1
        }
        try commit(lowered)
        return before
    }
}
