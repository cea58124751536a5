import CardCryptography
import FuelPassbook
import Glibc
import Journal
import Quantities
import Records
import SecurityModule
import Terminal

/// A checkpoint's commit beside a bare overwrite of 128 bytes with O_DSYNC, which is what the medium itself costs.
enum CheckpointBench {
    private static let rounds = 1_000
    private static let name = "checkpoint commit"

    static func run() -> [BenchResult] {
        do {
            let folder = try TemporaryFolder("greylock-bench")
            defer { folder.remove() }
            let checkpoint = try checkpoint()
            let path = folder.path + "/journal.sqlite"
            let journal = try SQLiteJournal(path: path, capacity: 1_000, keys: .demonstration)
            var commits: [UInt64] = []
            var overwrites: [UInt64] = []
            let descriptor = unsafe open(folder.path + "/bare", O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return [.notMeasured(name: name, why: "no file can be made")] }
            defer { close(descriptor) }
            let bytes = [UInt8](repeating: 0x55, count: 128)
            for _ in 0..<rounds {
                let start = benchClock()
                try journal.checkpoint(checkpoint)
                let between = benchClock()
                guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
                    return [.notMeasured(name: name, why: "the bare write failed")]
                }
                commits.append(between - start)
                overwrites.append(benchClock() - between)
            }
            return [
                .figure(
                    name: name,
                    value: median(commits) / 1_000,
                    unit: "us",
                    reference: median(overwrites) / 1_000,
                    of: "bare O_DSYNC write",
                    atMost: 5
                )
            ]
        } catch {
            return [.notMeasured(name: name, why: "\(error)")]
        }
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
            ttc: TTC(1),
            reading: .none(points: 1),
            amount: Demonstration.balance,
            nonCardPart: .zero,
            gmac: gmac
        )
    }
}
