import CardCryptography
import Files
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Station
import Tokens

/// A card's key (DPK) drawn by a token, SoftHSM in this process and behind p11-kit's server, beside locked memory taking turns.
enum TokenBench {
    private static let rounds = 500
    private static let library = "/usr/lib/softhsm/libsofthsm2.so"
    private static let clients = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map {
        "/usr/lib/\($0)/pkcs11/p11-kit-client.so"
    }

    static func run() -> [BenchResult] { [false, true].map(measured) }

    private static func measured(behindServer: Bool) -> BenchResult {
        let name = "DPK by token, \(behindServer ? "p11-kit's server" : "SoftHSM")"
        return .measured(name) { folder in
            guard let client = clients.first(where: { FileStamp($0) != nil }), FileStamp(library) != nil else {
                throw PeerFault("no SoftHSM or p11-kit (Debian: softhsm2, p11-kit, p11-kit-modules)")
            }
            try makeToken(in: folder)
            defer {
                ChildProcess(["softhsm2-util", "--delete-token", "--token", "bench"], reading: STDOUT_FILENO)?.wait()
            }
            let server = behindServer ? try serve(in: folder) : nil
            defer { server?.stop() }
            let place = TokenPlace(
                module: behindServer ? client : library,
                label: "bench",
                pin: .file("\(folder.path)/pin")
            )
            return try figure(name, Token(place))
        }
    }

    private static func makeToken(in folder: TemporaryFolder) throws {
        let settings = "directories.tokendir = \(folder.path)\nobjectstore.backend = file\nlog.level = ERROR\n"
        try WholeFile.replace("\(folder.path)/softhsm2.conf", with: Array(settings.utf8))
        try WholeFile.replace("\(folder.path)/pin", with: Array("31415926".utf8))
        guard unsafe setenv("SOFTHSM2_CONF", "\(folder.path)/softhsm2.conf", 1) == 0,
            unsafe setenv("P11_KIT_SERVER_ADDRESS", "unix:path=\(folder.path)/socket", 1) == 0,
            let utility = ChildProcess(
                [
                    "softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "27182818", "--pin",
                    "31415926",
                ],
                reading: STDOUT_FILENO
            ), utility.wait() == 0
        else { throw PeerFault("softhsm2-util makes no token") }
    }

    private static func serve(in folder: TemporaryFolder) throws -> ChildProcess {
        let command = ["p11-kit", "server", "--foreground", "--name", "\(folder.path)/socket", "--provider", library]
        guard let server = ChildProcess(command + ["pkcs11:token=bench"], reading: STDOUT_FILENO), server.line() != nil
        else { throw PeerFault("p11-kit's server does not start") }
        return server
    }

    private static func figure(_ name: String, _ token: Token) throws -> BenchResult {
        defer { token.end() }
        let raw = SecretKey(SystemRandom().secret(DoubleLengthKey.length))
        let held = HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(1), version: KeyVersion(1)))
        let key = TokenKey(held, of: "bench", TokenMark(of: raw.raw))
        try token.put(raw, as: key)
        let master = DoubleLengthKey(raw.raw.part(0..<DoubleLengthKey.length))
        let card = Demonstration.applicationFile.asn
        let blocks = card.diversificationFactor + card.diversificationFactor.map { ~$0 }
        return try .inTurns(name: name, of: "locked memory", atMost: nil) {
            var (ours, theirs): ([UInt64], [UInt64]) = ([], [])
            for _ in 0..<rounds {
                var start = benchClock()
                let secret = try token.encrypted(blocks, under: key)
                _ = PurchaseKey(DoubleLengthKey(secret.raw.part(0..<DoubleLengthKey.length)))
                ours.append(benchClock() - start)
                start = benchClock()
                _ = PurchaseKey(master: master, card: card)
                theirs.append(benchClock() - start)
            }
            return (ours, theirs)
        }
    }
}
