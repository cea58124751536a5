package import Dispenser
package import FuelPassbook
package import Metering
package import Quantities

/// What `greylockd` reads at its start: one board with one fuelling side. `board/greylock.toml` explains each key.
///
/// Money is in fen, volume in centilitres; no setting is a fraction.
package struct Configuration: Sendable {
    /// The published keys and PIN serve, and protect nothing.
    package var demonstration: Bool
    package var terminal: TerminalIdentity
    package var journal: JournalFile
    package var card: CardSettings
    package var pin: PINSource
    package var pump: PumpSettings
    package var timeouts: PositionSettings.Timeouts
    /// Why the service cannot start on these settings yet; nil when it can.
    package private(set) var unmet: ConfigurationError?

    package struct TerminalIdentity: Equatable, Sendable {
        package var id: TerminalID
        package var position: Int
    }

    package struct JournalFile: Equatable, Sendable {
        package var path: String
        /// In records.
        package var capacity: Int
        /// The file of the high-water mark; nil for the journal's name with "-mark".
        package var mark: String?
    }

    package struct CardSettings: Equatable, Sendable {
        package var edge: Edge
        package var aid: [UInt8]
        package var keyIndex: KeyIndex
        package var closesValveOnRemoval: Bool
        package var blacklist: Set<ApplicationSerialNumber>
        /// Byte 2 of the serial numbers that are served.
        package var kinds: Set<UInt8>

        package enum Edge: Equatable, Sendable {
            /// The reader's name; nil for the only one there is.
            case pcsc(reader: String?)
            /// The file that keeps the card; nil for a card that lasts as long as the service.
            case virtual(state: String?)
        }
    }

    package enum PINSource: String, CaseIterable, Sendable {
        /// Typed at the console.
        case terminal
        /// The demonstration PIN.
        case fixed
    }

    package struct PumpSettings: Equatable, Sendable {
        package var edge: Edge
        package var nozzle: Int
        package var grade: String
        package var unitPrice: UnitPrice
        package var pulser: PulserKind
        package var calibration: Calibration
        package var slowFlow: Volume
        package var limit: Preset
        package var payment: Payment
        package var preset: Preset?
        package var pulserFaultsMax: Int
        /// The meter's largest flow.
        package var litresPerMinuteMax: Int
        /// What may flow back before the valves close.
        package var reverseCentilitresMax: Int

        package enum Payment: String, CaseIterable, Sendable {
            case greyLock = "grey-lock"
            case prepaid
        }

        package enum Edge: Equatable, Sendable {
            case gpio(Wiring)
            case simulated(SimulatedPump)

            /// Without one the main valve alone goes to the target.
            var hasSlowValve: Bool {
                switch self {
                case .gpio(let wiring): wiring.slowValve != nil
                case .simulated: true
                }
            }
        }
    }

    /// Which line of one GPIO chip is what: offsets on the chip.
    package struct Wiring: Equatable, Sendable {
        /// The chip's device file, name or label.
        package var chip: String
        package var a: Int
        /// nil for a pulser with one channel.
        package var b: Int?
        package var nozzle: Int
        package var emergency: Int?
        package var motor: Int
        package var mainValve: Int
        package var slowValve: Int?
        /// Lines that are active at the low level.
        package var activeLow: Set<Line>
        /// Of the inputs; as the board left it where there is none.
        package var bias: [Line: Bias]
        /// For the nozzle switch and the emergency line; the pulser is never debounced.
        package var debounceMilliseconds: Int

        package enum Line: String, CaseIterable, Sendable {
            case a
            case b
            case nozzle
            case emergency
            case motor
            case mainValve = "main_valve"
            case slowValve = "slow_valve"
        }

        /// The resistor inside the chip that holds an open input.
        package enum Bias: String, CaseIterable, Sendable {
            case asIs = "as-is"
            case disabled
            case pullUp = "pull-up"
            case pullDown = "pull-down"
        }

        /// nil when the line is not wired.
        package func offset(of line: Line) -> Int? {
            switch line {
            case .a: a
            case .b: b
            case .nozzle: nozzle
            case .emergency: emergency
            case .motor: motor
            case .mainValve: mainValve
            case .slowValve: slowValve
            }
        }
    }

    /// What a simulated customer takes.
    package struct SimulatedPump: Equatable, Sendable {
        package var centilitres: Int
        package var litresPerMinute: Int
        /// How many times faster than real.
        package var speed: Int
    }
}

extension Configuration {
    /// Blocks while the file is read.
    ///
    /// - Throws: the first thing that is wrong, as one line.
    package static func load(path: String) throws(ConfigurationError) -> Configuration {
        try Configuration(toml: ConfigurationDocument.contents(of: path), file: path)
    }

    /// - Parameter file: the name that stands in an error.
    package init(toml bytes: [UInt8], file: String) throws(ConfigurationError) {
        let document = try ConfigurationDocument(file: file, bytes: bytes)
        let configuration = Configuration(reading: document.root)
        try document.finish()
        guard let configuration else { preconditionFailure("what is missing has been noted") }
        self = configuration
        if !demonstration {
            unmet = document.error(
                "demonstration",
                "true, because only the published demonstration keys can be loaded so far",
                found: "false"
            )
        }
    }

    /// How the position sells.
    package var positionSettings: PositionSettings {
        var settings = PositionSettings(
            position: terminal.position,
            nozzle: pump.nozzle,
            grade: pump.grade,
            unitPrice: pump.unitPrice,
            calibration: pump.calibration,
            aid: card.aid,
            keyIndex: card.keyIndex,
            limit: pump.limit
        )
        switch pump.payment {
        case .greyLock: settings.preset = pump.preset
        case .prepaid:
            guard let preset = pump.preset else { preconditionFailure("a prepaid pump without a preset is refused") }
            settings.payment = .prepaid(preset)
        }
        settings.slowFlow = pump.edge.hasSlowValve ? pump.slowFlow : .zero
        settings.pulserFaultsMax = pump.pulserFaultsMax
        settings.closesValveOnCardRemoval = card.closesValveOnRemoval
        settings.cardKinds = card.kinds
        settings.blacklist = card.blacklist
        settings.timeouts = timeouts
        return settings
    }
}
