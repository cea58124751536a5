import FuelPassbook
import ISO7816
import Journal
import Metering
import Quantities
import Records
import StationInterface

extension CollectedRecord {
    /// By the names of `greylock records --json`, and `acknowledgeable`.
    var json: JSON {
        var members = record.headMembers + record.saleMembers
        members.append(JSON.Member("acknowledgeable", .truth(isClosed)))
        return .object(members)
    }
}

extension Record {
    fileprivate var headMembers: [JSON.Member] {
        [
            JSON.Member("ttc", .integer(Int64(number.value))), JSON.Member("kind", .text(kind.rawValue)),
            JSON.Member("phase", .text(phase.rawValue)), JSON.Member("position", .integer(side)),
            JSON.Member("terminal", .text("\(terminal)")), JSON.Member("lockTime", .text("\(begun)")),
            JSON.Member("endTime", .optional(ended.map { "\($0)" })), JSON.Member("card", .text("\(card)")),
            JSON.Member("ctc", .integer(Int64(ctc.number))),
            JSON.Member("settles", .optional(settles.map { Int($0.value) })),
            JSON.Member("remark", .optional(remark)),
            JSON.Member("identification", head.identification?.json ?? .null),
        ]
    }

    fileprivate var saleMembers: [JSON.Member] {
        [
            JSON.Member("balanceBeforeFen", .integer(Int64(balanceBefore.fen))),
            JSON.Member("nozzle", .integer(nozzle)),
            JSON.Member("grade", .text(grade)), JSON.Member("unitPriceFen", .integer(unitPrice.fenPerLitre)),
            JSON.Member("volumeMicrolitres", .integer(reading.volume.microlitres)),
            JSON.Member("shownCentilitres", .integer(reading.volume.shownCentilitres)),
            JSON.Member("counts", .list(reading.counts.map { .integer($0) })),
            JSON.Member("pulserFaults", .integer(reading.faults.total)),
            JSON.Member("amountFen", .integer(Int64(amount.fen))),
            JSON.Member("nonCardFen", .integer(Int64(nonCardPart.fen))),
            JSON.Member("mac3", .optional(mac3.map { Hex.string($0) })),
            JSON.Member("lockTAC", .optional(lock?.tac.map { Hex.string($0) })),
            JSON.Member("debitTAC", .optional(debitTAC.map { Hex.string($0) })),
            JSON.Member("mac4IsValid", mac4IsValid.map { .truth($0) } ?? .null),
        ]
    }
}

extension SoftwareIdentification {
    fileprivate var json: JSON {
        .object([
            JSON.Member("version", .text(version)), JSON.Member("programSHA256", .text(Hex.string(program))),
            JSON.Member("parametersVersion", .integer(parametersVersion)),
            JSON.Member("parametersHash", .text(Hex.string(parameters))),
        ])
    }
}
