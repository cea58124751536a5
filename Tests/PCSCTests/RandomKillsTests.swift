import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing
import Threads

extension WithPCSCD {
    /// The service is killed at random instants, most of them while fuel flows; one journal and one card live through all of them.
    /// `GREYLOCK_KILLS=100` asks for so many, and `GREYLOCK_SEED` for the same instants again.
    @Suite(.timeLimit(.minutes(30)))
    struct RandomKillsTests {
        private static let counts = 1_200
        private static let fenPerLitre = 100
        /// The card's balance when it is new.
        private static let balanceFen = 50_000
        /// What is behind the last checkpoint, and the litre's part that was shown.
        private static let checkpointMicrolitres = 500_000

        private struct Chance: RandomNumberGenerator {
            /// Steele, Lea, Flood: Fast splittable pseudorandom number generators (SplitMix64).
            var state: UInt64

            mutating func next() -> UInt64 {
                state &+= 0x9E37_79B9_7F4A_7C15
                var mixed = state
                mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
                mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
                return mixed ^ (mixed >> 31)
            }
        }

        private struct Card: Decodable {
            struct Grey: Decodable { let terminalTransaction: Int }
            let balanceFen: Int
            let grey: Grey?
        }

        private let folder: TestFolder
        private let daemon: CardDaemon
        private var journal: String { folder.path("journal.sqlite") }

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        private func service() throws -> Program {
            let side = ServiceConfiguration.side(
                1,
                card: ServiceConfiguration.reader,
                price: Self.fenPerLitre,
                pump: ServiceConfiguration.simulated(centilitres: Self.counts / 4, speed: 4)
            )
            let text = ServiceConfiguration.text(journal: (journal, ""), sides: [side])
            return try Program("greylock", ["run", "--config", folder.file("greylock.toml", text)])
        }

        private func insert() throws -> Program {
            try Program("greylock", ["card", "serve", "--vpcd", "\(daemon.port)", "--state", folder.path("card")])
        }

        private func pull(_ card: Program) {
            card.signal(SIGTERM)
            #expect(card.wait(for: "is out of the reader") != nil)
            _ = card.end()
        }

        private func card() throws -> Card {
            let run = try Run("greylock", ["card", "show", "--json", "--state", folder.path("card")])
            return try JSONDecoder().decode(Card.self, from: Data(run.output.utf8))
        }

        /// The most that the log showed, in microlitres.
        private func shown(_ lines: [String]) -> Int {
            let litres = lines.compactMap { $0.firstMatch(of: #/ (\d+)\.(\d\d) L, /#) }
                .compactMap { match in Int(match.1).flatMap { whole in Int(match.2).map { whole * 100 + $0 } } }
            return (litres.max() ?? 0) * 10_000
        }

        @Test func nobodyLosesMoney() throws {
            let environment = ProcessInfo.processInfo.environment
            let kills = environment["GREYLOCK_KILLS"].flatMap { Int($0) } ?? 8
            let seed = environment["GREYLOCK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
            print("\(kills) random kills: GREYLOCK_SEED=\(seed)")
            var chance = Chance(state: seed)
            var (inFlow, atStart) = (0, 0)
            var shownOfSale: [Int: Int] = [:]
            var reader = try insert()
            while inFlow < kills {
                let service = try service()
                if inFlow > 0, Int.random(in: 0..<5, using: &chance) == 0 {
                    // While it starts, recovers, settles.
                    pause(milliseconds: .random(in: 0..<700, using: &chance))
                    atStart += 1
                } else {
                    reader = try beginSale(service, reader)
                    pause(milliseconds: .random(in: 0..<2_000, using: &chance))
                    inFlow += 1
                }
                service.signal(SIGKILL)
                #expect(service.end() == -SIGKILL)
                let ledger = try check(isEnd: false)
                if let sale = ledger.last(where: { $0.settles == nil }) {
                    let afterSettling = service.lines.lastIndex { $0.contains("settles-ttc=") }.map { $0 + 1 } ?? 0
                    let shown = shown(Array(service.lines[afterSettling...]))
                    shownOfSale[sale.ttc] = max(shown, shownOfSale[sale.ttc] ?? 0)
                }
            }
            let last = try service()
            reader = try beginSale(last, reader)
            #expect(last.wait(for: "notice paid") != nil)
            last.signal(SIGTERM)
            #expect(last.end() == 0)
            pull(reader)
            let sales = try check(isEnd: true)
            for sale in sales {
                let shown = shownOfSale[sale.ttc] ?? 0
                #expect(sale.volumeMicrolitres >= shown - Self.checkpointMicrolitres, "seed \(seed), sale \(sale.ttc)")
            }
            let escaped = sales.count { $0.phase == "escaped" }
            print(
                "\(inFlow) kills in a sale, \(atStart) at a start: \(sales.count) records, \(escaped) sales paid at the next visit or void"
            )
        }

        private func pause(milliseconds: UInt64) {
            _ = MonotonicSemaphore().wait(until: MonotonicClock.nanoseconds + milliseconds * 1_000_000)
        }

        /// Until the customer is to lift the nozzle; what is open is settled before, and the card taken out and put in again.
        private func beginSale(_ service: Program, _ reader: Program) throws -> Program {
            var reader = reader
            while let line = service.wait(for: ["lift the nozzle", "take your card"]) {
                if line.contains("lift the nozzle") { return reader }
                pull(reader)
                reader = try insert()
            }
            Issue.record("the service ended: \(service.lines.suffix(5))")
            return reader
        }

        /// What the card paid is what the records say; while one of them is open, it may have paid that one as well.
        private func check(isEnd: Bool) throws -> [JournalReport.Sale] {
            let report = try JournalReport(journal: journal)
            let card = try card()
            let taken = Self.balanceFen - card.balanceFen
            let paid = report.sales.filter { $0.phase == "settled" }
            let paidFen = paid.map(\.amountFen).reduce(0, +)
            let closed: Set = ["settled", "escaped", "void"]
            let open = report.sales.filter { !closed.contains($0.phase) }
            #expect(open.count <= 1)
            #expect(Set(report.sales.map(\.ttc)).count == report.sales.count)
            #expect(taken == paidFen || taken == paidFen + (open.first?.amountFen ?? 0))
            let settled = paid.compactMap(\.settles)
            #expect(Set(settled).count == settled.count)
            for sale in report.sales where sale.settles == nil {
                #expect(sale.volumeMicrolitres * 400 == sale.counts.reduce(0, +) * 1_000_000)
                #expect(sale.pulserFaults == 0)
            }
            for sale in paid { #expect(sale.mac4IsValid == true) }
            guard isEnd else { return report.sales }
            #expect(open.isEmpty && card.grey == nil && taken == paidFen)
            #expect(report.greyRecords.allSatisfy { $0.state != "open" })
            let sold = report.sales.filter { $0.settles == nil }
            // Every litre that is recorded is paid once.
            #expect(sold.map(\.amountFen).reduce(0, +) == paidFen)
            return report.sales
        }
    }
}
