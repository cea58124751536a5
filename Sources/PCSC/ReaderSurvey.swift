/// The card readers that are there and what is in them, as pcscd says it; no card is touched, and no program that uses one is
/// disturbed. Where ports decide, readers that nobody uses are asked for theirs. Making it blocks for as long as pcscd does not answer.
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
        /// nil where it was not asked.
        package fileprivate(set) var port: ReaderPort?

        /// With its port, where that is known.
        package var words: String {
            guard case .known(let port) = port else { return "\"\(name)\"" }
            return "\"\(name)\" at \(port)"
        }
    }

    /// What a side says of its reader.
    package struct Setting: Equatable, Sendable {
        /// A reader's name, or a part of it; nil for the only one there is.
        package let reader: String?
        /// The USB port that it is plugged into; nil for any.
        package let port: String?

        package init(reader: String?, port: String?) {
            self.reader = reader
            self.port = port
        }
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
    package private(set) var readers: [Reader]

    /// - Parameters:
    ///   - settings: of the board's sides. Readers that may be meant where a port is set, and alike ones where none is, are asked for
    ///     their ports.
    ///   - devices: what the kernel knows of ports.
    package init(for settings: [Setting], among devices: USBDevices = USBDevices()) throws(Fault) {
        do throws(PCSCError) {
            let context = try PCSCContext()
            readers = try Self.readers(context)
            let asked = names(toAskFor: settings)
            for index in readers.indices where asked.contains(readers[index].name) {
                readers[index].port = context.port(of: readers[index].name, among: devices)
            }
        } catch {
            switch error.code {
            case PCSCCode.noService: throw .noService
            case PCSCCode.securityViolation: throw .notPermitted
            case _: throw .failed(error.advice)
            }
        }
    }

    private func names(toAskFor settings: [Setting]) -> Set<String> {
        var names: Set<String> = []
        for setting in settings {
            let others = settings.filter { $0 != setting }
            if setting.port != nil {
                let free = Set(free(for: setting, besides: others).map(\.name))
                names.formUnion(free.intersection(ReaderChoice.meant(setting.reader, among: readers.map(\.name))))
            } else if case .alike(let alike) = choice(of: setting, besides: others) {
                names.formUnion(alike.map(\.name))
            }
        }
        return names
    }

    private static func readers(_ context: borrowing PCSCContext) throws(PCSCError) -> [Reader] {
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

    /// Where the readers are, and why it is not known of those that cannot be asked; nil where none was asked.
    package var places: String? {
        let asked = readers.compactMap { reader in reader.port.map { (name: reader.name, port: $0) } }
        return asked.isEmpty ? nil : ReaderPort.words(of: asked)
    }

    /// As ``ReaderChoice`` decides before it has chosen.
    ///
    /// - Parameter others: of the board's other sides: a reader of a whole name that one has set without a port is theirs.
    package func choice(of setting: Setting, besides others: [Setting]) -> Choice {
        let free = free(for: setting, besides: others)
        let meant = meant(setting, free)
        let found = free.filter { meant.contains($0.name) }
        guard let first = found.first else { return .none }
        guard found.count > 1 else { return .one(first) }
        let name = ReaderName(first.name)
        let areAlike = found.map { ReaderName($0.name) }.allSatisfy { $0.device == name.device && $0.slot == name.slot }
        return areAlike ? .alike(found) : .several(found)
    }

    private func free(for setting: Setting, besides others: [Setting]) -> [Reader] {
        let theirs = others.filter { $0.port == nil }.compactMap(\.reader)
        return readers.filter { $0.name == setting.reader || !theirs.contains($0.name) }
    }

    private func meant(_ setting: Setting, _ free: [Reader]) -> [String] {
        guard let port = setting.port else {
            return ReaderChoice.candidates(setting.reader, among: free.map { ReaderName($0.name) }).map(\.whole)
        }
        let meant = ReaderChoice.meant(setting.reader, among: readers.map(\.name))
        let there = free.filter { $0.port == .known(port) && meant.contains($0.name) }.map { ReaderName($0.name) }
        return ReaderChoice.candidates(setting.reader, among: there).map(\.whole)
    }
}
