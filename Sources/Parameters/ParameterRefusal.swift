package import FuelPassbook

/// How far the sets of a side had come when something was last committed: it stands in the journal.
package struct ParameterMark: Hashable, Sendable {
    package let side: Int
    package let version: Int
    /// Of that version.
    package let hash: [UInt8]
    package let counters: ParameterSet.Counters

    package init(side: Int, version: Int, hash: [UInt8], counters: ParameterSet.Counters) {
        self.side = side
        self.version = version
        self.hash = hash
        self.counters = counters
    }

    package init(_ set: ParameterSet) {
        self.init(side: set.side, version: set.version, hash: set.hash, counters: set.counters)
    }
}

/// Why a side may not sell under the parameters that are there.
package enum ParameterRefusal: Error, Hashable, Sendable {
    /// There is no book at all.
    case missing
    /// The file cannot be had, in words.
    case unreadable(String)
    /// Chain, counters or text are not what this program wrote.
    case broken(ParameterFault)
    case otherTerminal(TerminalID)
    /// The book has no set of this side.
    case noSet
    case otherBoard(BoardSerial)
    /// Of the set of that number in the book.
    case wrongCode(number: Int)
    /// The newest set was coded under a record key that the terminal does not have any more.
    case otherKey(KeyReference)
    /// There is no set of the side any more, and the journal knows that there was one.
    case gone(known: Int)
    /// The journal knows a later version.
    case older(version: Int, known: Int)
    /// The journal knows another set of the same version.
    case replaced(version: Int)
    /// The journal knows a higher counter.
    case loweredCounter
    /// The journal's row of the side is not believed, in words.
    case unknownHistory(String)
    /// The lines of the pulser and its channels do not fit.
    case otherWiring
}

extension ParameterBook {
    /// The set under which a side sells.
    ///
    /// - Parameter mark: what the journal knows of the side; nil where it knows nothing.
    package func set(
        of side: Int,
        of terminal: TerminalID,
        on board: BoardSerial,
        _ mark: ParameterMark?,
        under key: ParameterKey
    ) throws(ParameterRefusal) -> ParameterSet {
        guard self.terminal == terminal else { throw .otherTerminal(self.terminal) }
        let all = sets(of: side)
        if let wrong = all.first(where: { key.isAuthentic($0) == false }) { throw .wrongCode(number: wrong.number) }
        if let mark { try require(mark) }
        guard let newest = all.last else { throw .noSet }
        guard key.isAuthentic(newest) == true else { throw .otherKey(newest.code.reference) }
        guard newest.board == board else { throw .otherBoard(newest.board) }
        return newest
    }

    /// - Throws: where the sets of the mark's side do not go on from it.
    package func require(_ mark: ParameterMark) throws(ParameterRefusal) {
        let all = sets(of: mark.side)
        guard let newest = all.last else { throw .gone(known: mark.version) }
        guard newest.version >= mark.version else { throw .older(version: newest.version, known: mark.version) }
        guard newest.counters.calibration >= mark.counters.calibration,
            newest.counters.configuration >= mark.counters.configuration
        else { throw .loweredCounter }
        if all.first?.lost == mark { return }
        guard all.first(where: { $0.version == mark.version })?.hash == mark.hash else {
            throw .replaced(version: mark.version)
        }
    }
}
