/// The card readers that are there and what is in them, as pcscd says it; no card is touched, and no program that uses one is
/// disturbed. Making it blocks for as long as pcscd does not answer.
package struct ReaderSurvey: Sendable {
    package struct Reader: Equatable, Sendable {
        package let name: String
        /// It is there and does not work.
        package let isUnavailable: Bool
        package let isCardPresent: Bool
        /// Its card says nothing when it is powered up.
        package let isMute: Bool
        /// A program is connected to its card.
        package let isInUse: Bool
    }

    /// Why nothing is seen.
    package enum Fault: Error, Equatable, Sendable {
        /// pcscd does not run.
        case noService
        /// pcscd does not let this user ask.
        case notPermitted
        /// In words.
        case failed(String)
    }

    /// What a side's setting means.
    package enum Choice: Equatable, Sendable {
        case one(Reader)
        case none
        /// Readers that differ in their numbers, if in anything: nothing tells them apart.
        case alike([Reader])
        case several([Reader])
    }

    /// In pcscd's order.
    package let readers: [Reader]

    package init() throws(Fault) {
        do throws(PCSCError) { readers = try Self.readers() } catch {
            switch error.code {
            case PCSCCode.noService: throw .noService
            case PCSCCode.securityViolation: throw .notPermitted
            case _: throw .failed(error.advice)
            }
        }
    }

    private static func readers() throws(PCSCError) -> [Reader] {
        let context = try PCSCContext()
        var readers: [Reader] = []
        for name in try context.readers() {
            let state = try context.waitForChange(of: name, from: .unaware, timeoutMilliseconds: 0)
            readers.append(
                Reader(
                    name: name,
                    isUnavailable: state.isUnavailable || state.isUnknown,
                    isCardPresent: state.isCardPresent,
                    isMute: state.isMute,
                    isInUse: state.isInUse
                )
            )
        }
        return readers
    }

    /// As ``ReaderChoice`` decides before it has chosen.
    ///
    /// - Parameters:
    ///   - setting: a reader's name, or a part of it; nil for the only one there is.
    ///   - others: settings of the board's other sides: a reader of such a whole name is theirs.
    package func choice(of setting: String?, besides others: [String]) -> Choice {
        let free = readers.filter { $0.name == setting || !others.contains($0.name) }
        let meant = ReaderChoice.candidates(setting, among: free.map { ReaderName($0.name) }).map(\.whole)
        let found = free.filter { meant.contains($0.name) }
        guard let first = found.first else { return .none }
        guard found.count > 1 else { return .one(first) }
        let name = ReaderName(first.name)
        let areAlike = found.map { ReaderName($0.name) }.allSatisfy { $0.device == name.device && $0.slot == name.slot }
        return areAlike ? .alike(found) : .several(found)
    }
}
