import GreyLock
import Metering
import Records
import SecurityModule

/// The parts of one side, with a state each: who is in the reader, what flows, and what is written.
struct Parts {
    let settings: SideSettings
    let module: SecurityModule
    let display: any SideDisplay
    /// What a record's remark says of a refusal.
    let remark: (Refusal) -> String
    let visit: Visit
    let flow: Flow
    let books: Books
    let stray: StrayFuel

    init(_ settings: SideSettings, _ edges: SideEdges, _ board: RecoveredBoard, _ presence: CardPresence) {
        self.settings = settings
        module = edges.module
        display = edges.display
        remark = edges.remark
        let books = Books(
            settings,
            terminal: edges.module.terminal,
            journal: edges.journal,
            clock: edges.clock,
            display: edges.display,
            board: board
        )
        let stray = StrayFuel(settings, edges.pump, books)
        let visit = Visit(settings, edges, board, presence) { () throws(StorageFault) in try stray.record() }
        self.books = books
        self.stray = stray
        self.visit = visit
        flow = Flow(settings, edges, visit, books, stray)
    }

    var readiness: Readiness { Readiness(books: books, flow: flow, stray: stray, settings: settings) }
}

/// What is done with one card, in the steps of its source.
protocol Procedure {
    var side: Parts { get }
}

extension Procedure {
    var settings: SideSettings { side.settings }
    var module: SecurityModule { side.module }
    var display: any SideDisplay { side.display }
    var remark: (Refusal) -> String { side.remark }
    var visit: Visit { side.visit }
    var flow: Flow { side.flow }
    var books: Books { side.books }
    var stray: StrayFuel { side.stray }
    var readiness: Readiness { side.readiness }
}

/// The same with a card that has the grey lock.
protocol GreyLockProcedure: Procedure {
    var purse: GreyLockCard { get }
}

extension GreyLockProcedure {
    var locking: GreyLocking { GreyLocking(side: side, purse: purse) }
    var debiting: GreyDebiting { GreyDebiting(side: side, purse: purse) }
    var earlier: EarlierSales { EarlierSales(side: side, purse: purse) }
}
