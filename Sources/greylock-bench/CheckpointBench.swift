import CardCryptography
import FuelPassbook
import Glibc
import Journal
import Quantities
import Records
import SecurityModule
import Station

/// A checkpoint's commit beside a bare overwrite of 128 bytes with O_DSYNC, which is what the medium itself costs, and beside
/// the same row written by SQLite called from C, taking turns.
enum CheckpointBench {
    private static let rounds = 200
    /// Until the `-wal` file is written over from its start, as in the peer.
    private static let warmUp = 300
    private static let name = "checkpoint commit"

    static func run(peers: String) -> [BenchResult] {
        [
            .measured(name) { folder in
                let journal = try journal(folder.path + "/journal.sqlite")
                let bare = folder.path + "/bare"
                let descriptor = unsafe open(bare, O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC, 0o600)
                guard descriptor >= 0 else { throw PeerFault("\(bare) cannot be made") }
                defer { close(descriptor) }
                return try .inTurns(1_000, name: name, of: "bare O_DSYNC write", atMost: 5) {
                    (try commit(to: journal, 1), [try overwrite(descriptor)])
                }
            },
            .measured(name) { folder in
                let peer = try Peer("checkpoint-peer", from: peers, library: "sqlite3", into: folder)
                let journal = try journal(folder.path + "/journal.sqlite")
                let copied = folder.path + "/peer.sqlite"
                _ = try commit(to: Self.journal(copied), 1)
                _ = try commit(to: journal, warmUp)
                return try .inTurns(
                    name: name,
                    of: "C, SQLite, the same row",
                    atMost: 1.2,
                    because: "it judges the old row, codes the new one, and writes the journal's state as a second"
                ) {
                    let ours = try commit(to: journal, rounds)
                    return (ours, try peer.time(copied, count: rounds).map(\.nanoseconds))
                }
            },
        ]
    }

    private static func journal(_ path: String) throws -> SQLiteJournal {
        try SQLiteJournal(path: path, capacity: 1_000, key: .demonstration)
    }

    /// - Returns: the nanoseconds of each commit.
    private static func commit(to journal: SQLiteJournal, _ count: Int) throws -> [UInt64] {
        let checkpoint = try checkpoint()
        var times: [UInt64] = []
        for _ in 0..<count {
            let start = benchClock()
            try journal.checkpoint(checkpoint)
            times.append(benchClock() - start)
        }
        return times
    }

    private static func overwrite(_ descriptor: Int32) throws -> UInt64 {
        let bytes = [UInt8](repeating: 0x55, count: 128)
        let start = benchClock()
        guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw PeerFault("the bare write failed")
        }
        return benchClock() - start
    }

    private static func checkpoint() throws -> Checkpoint {
        let gmac = SealedGMAC(
            card: Demonstration.applicationFile.asn,
            terminal: Demonstration.terminal,
            ttc: TTC(1),
            ctc: CTC(1),
            amount: Demonstration.balance,
            key: KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion),
            sealed: SystemRandom().bytes(SealedGMAC.sealedLength)
        )
        return Checkpoint(
            number: RecordNumber(1),
            reading: .none(points: 1),
            amount: Demonstration.balance,
            nonCardPart: .zero,
            gmac: gmac
        )
    }
}
