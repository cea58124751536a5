import FuelPassbook
import ISO7816
import Journal
import Quantities
import Records
import SecurityModule
import StationInterface

extension SecurityModule {
    /// Nothing but `last` where no record may travel; nil without a key for the way.
    func answer(_ greys: TravellingGreys) -> JSON? {
        var file: String?
        if !greys.records.isEmpty {
            do throws(GreyRecordFileFault) {
                file = String(decoding: try greyRecordFile(greys.records), as: UTF8.self)
            } catch {
                return nil
            }
        }
        let records = greys.records.map { record in
            JSON.object([
                JSON.Member("ttc", .integer(Int64(record.number.value))), JSON.Member("card", .text("\(record.card)")),
                JSON.Member("amountFen", .integer(Int64(record.amount.fen))),
            ])
        }
        return .object([
            JSON.Member("file", .optional(file)), JSON.Member("records", .list(records)),
            JSON.Member("last", greys.last.map { .integer(Int64($0.value)) } ?? .null),
        ])
    }
}

extension [TakenGrey] {
    /// Each by its numbers there and here.
    var json: JSON {
        let records = map { taken in
            JSON.object([
                JSON.Member("ttc", .integer(Int64(taken.entry.gmac.ttc.number))),
                JSON.Member("here", .integer(Int64(taken.record.number.value))),
                JSON.Member("new", .truth(taken.isNew)),
                JSON.Member("state", .text(taken.record.state.rawValue)),
            ])
        }
        return .object([JSON.Member("records", .list(records))])
    }
}
