import Dispenser
package import FuelPassbook
import Metering
import Quantities

/// What all sides of a board have in common; nil where the side's own default holds.
struct CommonSettings {
    /// More belong in a list that the issuer sends.
    private static let blacklistMax = 1_000

    let aid: [UInt8]
    fileprivate let keyIndex: KeyIndex
    fileprivate let closesValveOnCardRemoval: Bool?
    fileprivate let blacklist: [ApplicationSerialNumber]
    fileprivate let cardKinds: [UInt8]
    fileprivate let timeouts: SideSettings.Timeouts

    init(reading root: ConfigurationTable) {
        let card = root.table("card")
        aid = card.value("aid", .hexadecimal(bytes: 5...16), default: Demonstration.aid)
        keyIndex = card.value("key_index", Setting.byte().map { KeyIndex($0) }, default: Demonstration.keyIndex)
        closesValveOnCardRemoval = card.optional("close_valve_on_removal", .truth)
        blacklist = card.list("blacklist", .serialNumber, countMax: Self.blacklistMax) ?? []
        cardKinds = Array((card.list("kinds", .hexadecimal(bytes: 1...1), countMax: 16) ?? []).joined())
        timeouts = SideSettings.Timeouts(reading: root.table("timeouts"))
    }
}

extension SideSettings {
    /// The meter's own stand in: they are under seal.
    init(reading pump: ConfigurationTable, _ number: Int, _ common: CommonSettings) {
        self.init(
            number: number,
            nozzle: pump.value("nozzle", .integer(1...99)),
            grade: pump.value("grade", .text(1...8)),
            unitPrice: pump.value("price", .unitPrice),
            calibration: MeterParameters.standIn.calibration,
            aid: common.aid,
            keyIndex: common.keyIndex,
            limit: Preset(
                amount: pump.value("limit_fen", .amount, default: Amount(fen: 100_000)),
                centilitres: pump.optional("limit_centilitres", .centilitres)
            )
        )
        closesValveOnCardRemoval = common.closesValveOnCardRemoval ?? closesValveOnCardRemoval
        blacklist = Set(common.blacklist)
        if !common.cardKinds.isEmpty { cardKinds = Set(common.cardKinds) }
        readPayment(pump)
        timeouts = common.timeouts
    }

    private enum PaymentWord: String, CaseIterable {
        case greyLock = "grey-lock"
        case prepaid
    }

    private mutating func readPayment(_ pump: ConfigurationTable) {
        let target = Preset(
            amount: pump.optional("preset_fen", .amount),
            centilitres: pump.optional("preset_centilitres", .centilitres)
        )
        checkLimits(of: target, pump)
        let isPreset = target != Preset()
        switch pump.value("payment", Setting<PaymentWord>.word, default: .greyLock) {
        case .greyLock: preset = isPreset ? target : nil
        case .prepaid:
            payment = .prepaid(target)
            guard pump.isSound else { return }
            guard isPreset else {
                pump.noteConflict("payment", "\"grey-lock\" unless preset_fen or preset_centilitres is there")
                return
            }
            checkPrice(of: target, pump)
        }
    }

    /// A preset beyond the side's own limit would never be reached.
    private func checkLimits(of target: Preset, _ pump: ConfigurationTable) {
        if pump.isSound, let fen = target.amount?.fen, let most = limit.amount?.fen, fen > most {
            pump.noteConflict("preset_fen", "at most limit_fen, \(most)")
        }
        if pump.isSound, let centilitres = target.centilitres, let most = limit.centilitres, centilitres > most {
            pump.noteConflict("preset_centilitres", "at most limit_centilitres, \(most)")
        }
    }

    /// A prepaid sale needs to know what to debit: the price of a centilitre at least.
    private func checkPrice(of target: Preset, _ pump: ConfigurationTable) {
        let centilitre = unitPrice.fen(forCentilitres: 1)
        for (key, amount) in [("preset_fen", target.amount), ("limit_fen", limit.amount)] {
            guard let amount, amount.fen < centilitre else { continue }
            pump.noteConflict(key, "at least the price of a centilitre, \(centilitre), with payment \"prepaid\"")
        }
    }
}

extension SideSettings.Timeouts {
    init(reading table: ConfigurationTable) {
        self.init()
        table.read("first_flow", .seconds(1...600), into: &firstFlow)
        table.read("no_flow", .seconds(1...600), into: &noFlow)
        table.read("grace", .seconds(0...300), into: &grace)
        table.read("pin", .seconds(5...300), into: &pin)
    }
}

extension Setting where Value == UnitPrice {
    fileprivate static var unitPrice: Setting {
        Setting<Int>.integer(1...UnitPrice.fenMax, "fen per litre").map { UnitPrice(fenPerLitre: $0) }
    }
}

extension Setting where Value == Amount {
    /// What a display of seven digits shows, 99,999.99 yuan.
    fileprivate static var amount: Setting { Setting<Int>.integer(100...9_999_999).map { Amount(fen: UInt32($0)) } }
}

extension Setting where Value == Int {
    /// 1 to 1,000 litres.
    fileprivate static var centilitres: Setting { integer(100...100_000) }
}

extension Setting where Value == UInt64 {
    /// In nanoseconds.
    fileprivate static func seconds(_ range: ClosedRange<Int>) -> Setting {
        Setting<Int>.integer(range, "seconds").map { UInt64($0) * 1_000_000_000 }
    }
}

extension Setting {
    package static var serialNumber: Setting<ApplicationSerialNumber> {
        .element("20 digits in quotation marks", standIn: Demonstration.applicationFile.asn)
    }
}
