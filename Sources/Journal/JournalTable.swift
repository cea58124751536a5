import Parameters
import Quantities
import Records

/// A table whose rows are replaced by key.
struct JournalTable: Sendable {
    let name: String
    let key: String
    /// The key's name in a fault.
    let keyName: String
    /// Columns by which a row is known to belong to the same sale; they never change.
    let fixed: [String]
    /// What its rows are; nil of a table without codes.
    let rows: (any TableRow.Type)?

    init(_ name: String, of rows: (any TableRow.Type)?, key: String, _ keyName: String? = nil, fixed: [String] = []) {
        self.name = name
        self.key = key
        self.keyName = keyName ?? key
        self.fixed = fixed
        self.rows = rows
    }

    static let sale = JournalTable(
        "sale",
        of: Record.self,
        key: "ttc",
        "record",
        fixed: ["position", "terminal_id", "lock_time", "card_asn"]
    )
    static let checkpoint = JournalTable("checkpoint", of: Checkpoint.self, key: "ttc", "record")
    static let greyRecord = JournalTable(
        "grey_record",
        of: GreyRecord.self,
        key: "ttc",
        "record",
        fixed: ["card_asn", "mac3"]
    )
    static let totaliser = JournalTable("totaliser", of: Totaliser.self, key: "nozzle")
    static let overrun = JournalTable("overrun", of: Overrun.self, key: "nozzle")
    static let sideLock = JournalTable("position_lock", of: SideLock.self, key: "position")
    static let numbering = JournalTable("numbering", of: Numbering.self, key: "journal")
    static let acceptance = JournalTable(
        "journal_acceptance",
        of: JournalAcceptance.self,
        key: "number",
        fixed: ["reason"]
    )
    static let serviceRun = JournalTable("service_run", of: ServiceRun.self, key: "run")
    static let clockAcceptance = JournalTable("clock_acceptance", of: ClockAcceptance.self, key: "after_ttc", "record")
    static let clockFloor = JournalTable("clock_floor", of: StationTime.self, key: "id", "row")
    static let pulserFault = JournalTable("pulser_fault", of: PulserFaultCount.self, key: "id", "row")
    static let lockClearing = JournalTable("lock_clearing", of: HistoryRow<LockClearing>.self, key: "number")
    static let priceChange = JournalTable("price_change", of: HistoryRow<PriceChange>.self, key: "number")
    static let totalsDifference = JournalTable(
        "totals_difference",
        of: HistoryRow<TotaliserDifference>.self,
        key: "number"
    )
    static let parameterMark = JournalTable("parameter_mark", of: ParameterMark.self, key: "position")
    static let sideBlock = JournalTable("position_block", of: SideBlock.self, key: "position")
    static let stationOrder = JournalTable("station_order", of: HistoryRow<DoneOrder>.self, key: "number")
    static let priceOrder = JournalTable("price_order", of: HistoryRow<PriceOrder>.self, key: "number")
    static let acknowledgement = JournalTable("acknowledgement", of: Acknowledgement.self, key: "ttc", "record")
    static let state = JournalTable("journal_state", of: nil, key: "id", "copy")

    /// But for ``state``, in the order in which they are read.
    static let coded: [JournalTable] = [
        .sale, .checkpoint, .greyRecord, .totaliser, .sideLock, .clockAcceptance, .clockFloor, .numbering, .acceptance,
        .serviceRun, .overrun, .pulserFault, .lockClearing, .priceChange, .totalsDifference, .parameterMark,
        .sideBlock, .stationOrder, .priceOrder, .acknowledgement,
    ]
    static let codeColumn = "code"
}
