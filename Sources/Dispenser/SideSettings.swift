package import FuelPassbook
package import Metering
package import Quantities
package import Records

/// How one fuelling side sells.
package struct SideSettings: Sendable {
    package var number: Int
    package var nozzle: Int
    package var grade: String
    package var unitPrice: UnitPrice
    /// By whose order; nil for the configuration.
    package var priceUser: String?
    package var calibration: Calibration
    package var aid: [UInt8]
    package var keyIndex: KeyIndex
    /// The side's own limits for one sale.
    package var limit: Preset
    package var payment: PaymentMode
    /// What a customer of the grey lock asked for; nil to fill up.
    package var preset: Preset?
    /// How much before the target the slow-flow valve takes over, at first and at most.
    package var slowFlow: Volume
    /// The least quantity that the meter measures within its limits of error.
    package var minimumQuantity: Volume
    /// More pulser faults than this in one sale close the valve and the side.
    package var pulserFaultsMax: Int
    package var closesValveOnCardRemoval: Bool
    /// The kinds of card that refuel here: byte 2 of the serial number.
    package var cardKinds: Set<UInt8>
    /// Cards that are not served.
    package var blacklist: Set<ApplicationSerialNumber>
    package var timeouts: Timeouts
    /// What a record says of program and parameters; nil where no set is in force.
    package var identification: SoftwareIdentification?

    /// In nanoseconds.
    package struct Timeouts: Sendable {
        /// From authorisation to the first flow.
        package var firstFlow: UInt64 = 30_000_000_000
        /// Without flow, until the sale ends.
        package var noFlow: UInt64 = 60_000_000_000
        /// For a card that left to come back.
        package var grace: UInt64 = 15_000_000_000
        /// For a PIN to be typed.
        package var pin: UInt64 = 30_000_000_000
        /// Without a pulse, until fuel counts as standing still after the valve closed.
        package var settling: UInt64 = 400_000_000
        /// For fuel to come to rest after the valves closed.
        package var standstill: UInt64 = 5_000_000_000
        /// Between two looks at the meter.
        package var tick: UInt64 = 100_000_000

        package init() {}
    }

    package init(
        number: Int,
        nozzle: Int,
        grade: String,
        unitPrice: UnitPrice,
        calibration: Calibration,
        aid: [UInt8],
        keyIndex: KeyIndex,
        limit: Preset
    ) {
        self.number = number
        self.nozzle = nozzle
        self.grade = grade
        self.unitPrice = unitPrice
        self.calibration = calibration
        self.aid = aid
        self.keyIndex = keyIndex
        self.limit = limit
        payment = .greyLock
        slowFlow = Volume(centilitres: 50)
        minimumQuantity = Volume(centilitres: 200)
        pulserFaultsMax = 10
        closesValveOnCardRemoval = true
        cardKinds = [ApplicationSerialNumber.customerKind]
        blacklist = []
        timeouts = Timeouts()
    }
}

/// When the card pays.
package enum PaymentMode: Equatable, Sendable {
    /// After the fuel, for what flowed; until then the card is locked.
    case greyLock
    /// Before the fuel, for at least a centilitre: the price of the largest volume within the preset and the
    /// side's limit.
    case prepaid(Preset)
}

/// A target for one sale: money, volume or both; whichever is reached first ends it.
package struct Preset: Equatable, Sendable {
    package var amount: Amount?
    /// In centilitres, as the display counts.
    package var centilitres: Int?

    package init(amount: Amount? = nil, centilitres: Int? = nil) {
        self.amount = amount
        self.centilitres = centilitres
    }
}

extension SideSettings {
    /// What a preset and the side's own limit allow, in centilitres; nil when they limit nothing.
    func centilitresMax(within preset: Preset?) -> Int? {
        [limit, preset].compactMap(\.self).flatMap { preset in
            [preset.amount.map { unitPrice.centilitres(forFen: Int($0.fen)) }, preset.centilitres]
        }.compactMap(\.self).min()
    }

    /// In centilitres, what every sale is limited to where that is less than the meter measures; nil as a rule.
    var targetTooSmall: Int? {
        let preset =
            switch payment {
            case .greyLock: self.preset
            case .prepaid(let preset): preset
            }
        guard let most = centilitresMax(within: preset) else { return nil }
        return Volume(centilitres: most) < minimumQuantity ? most : nil
    }

    /// What a card must hold at least: the price of a litre (spec/dispenser.md, section 3), or of the least quantity.
    var leastBalance: Amount {
        let centilitres = max(100, minimumQuantity.shownCentilitres)
        return Amount(fen: UInt32(clamping: unitPrice.fen(forCentilitres: centilitres)))
    }

    /// The price of the largest shown volume within the preset and the side's limit, and that volume.
    func prepaidTarget(_ preset: Preset) -> (amount: Amount, volume: Volume) {
        guard let centilitres = centilitresMax(within: preset), centilitres > 0 else {
            preconditionFailure("a preset is for at least a centilitre")
        }
        let fen = unitPrice.fen(forCentilitres: centilitres)
        return (Amount(fen: UInt32(clamping: fen)), Volume(centilitres: centilitres))
    }
}
