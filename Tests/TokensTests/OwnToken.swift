import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import Quantities
import TestPrograms
import Testing
import Tokens

/// Suites that load PKCS#11 modules into this process, one test after the other.
@Suite(
    .enabled(if: SoftToken.isUsable, Comment(rawValue: SoftToken.reasonToSkip)),
    .serialized,
    .timeLimit(.minutes(10))
)
enum WithToken {}

/// A token that this process uses. Where its folder is stands in the environment, which is set once.
final class OwnToken {
    static let terminal = TerminalID(0x3100_0000_0017)
    static let name = HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(1), version: KeyVersion(2)))

    private static let folder = "/tmp/greylock-token-\(getpid())"
    private static let environmentIsSet: Bool = {
        unsafe setenv("SOFTHSM2_CONF", "\(folder)/softhsm2.conf", 1) == 0
            && setenv("P11_KIT_SERVER_ADDRESS", "unix:path=\(folder)/socket", 1) == 0
    }()

    let soft: SoftToken
    let pinFile: String
    let raw = SecretKey(SystemRandom().secret(16))

    init() throws {
        precondition(Self.environmentIsSet)
        soft = try SoftToken(in: Self.folder)
        pinFile = "\(Self.folder)/pin"
        try writePIN(SoftToken.pin)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: Self.folder) } catch { Issue.record(error) }
    }

    func writePIN(_ pin: String) throws {
        // Another file: a stamp of the same second could be the same.
        unsafe _ = unlink(pinFile)
        try pin.write(toFile: "\(pinFile).new", atomically: false, encoding: .utf8)
        #expect(unsafe chmod("\(pinFile).new", 0o600) == 0 && rename("\(pinFile).new", pinFile) == 0)
    }

    func token(_ module: String = SoftToken.module, label: String = SoftToken.label) -> Token {
        Token(TokenPlace(module: module, label: label, pin: .file(pinFile)))
    }

    var key: TokenKey { TokenKey(Self.name, of: "\(Self.terminal)", TokenMark(of: raw.raw)) }
}
