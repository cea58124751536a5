import CardCryptography
import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import TestPrograms
import Testing
import Tokens

extension WithToken {
    /// What a token is asked for, and what goes wrong with it.
    struct TokenTests {
        private let own: OwnToken

        init() throws { own = try OwnToken() }

        private func reason(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch {
                return (error as? TokenFault)?.reason ?? "\(error)"
            }
        }

        @Test("encrypts as the key in locked memory does")
        func encrypts() throws {
            let token = own.token()
            try token.put(own.raw, as: own.key)
            let blocks = (UInt8(0)..<16).map { $0 }
            let answer = try token.encrypted(blocks, under: own.key).raw.withSpan { span in
                span.indices.map { span[$0] }
            }
            let key = DoubleLengthKey(own.raw.raw.part(0..<16))
            #expect(answer == key.encrypted(Array(blocks.prefix(8))) + key.encrypted(Array(blocks.suffix(8))))
            #expect(try token.words() == "token greylock (SoftHSM v2)")
        }

        @Test("a key of the same name takes the place of what was left there, and is gone when it is destroyed")
        func replaced() throws {
            let token = own.token()
            try token.put(SecretKey(SystemRandom().secret(16)), as: TokenKey(OwnToken.name, of: "\(OwnToken.terminal)"))
            #expect(
                try token.faults(of: [own.key]) == [
                    "the key MPK 1 2 310000000017 in token greylock is another than was loaded"
                ]
            )
            try token.put(own.raw, as: own.key)
            #expect(try token.faults(of: [own.key]).isEmpty)
            #expect(try token.destroy(own.key))
            #expect(try !token.destroy(own.key))
            #expect(try token.faults(of: [own.key]) == ["token greylock has no key MPK 1 2 310000000017"])
            #expect(reason { _ = try token.encrypted(TokenMark.input, under: own.key) }.contains("has no key"))
        }

        /// More of another terminal's than are asked for at once.
        @Test("all keys of a terminal go, and none of another's that shares the token")
        func destroyedTogether() throws {
            let token = own.token()
            func name(_ version: UInt8) -> HeldKeyName {
                HeldKeyName(.purchaseMaster, KeyReference(index: KeyIndex(7), version: KeyVersion(version)))
            }
            let others = (UInt8(0)..<20).map { TokenKey(name($0), of: "3100000000AA") }
            for other in others { try token.put(SecretKey(SystemRandom().secret(16)), as: other) }
            try token.put(own.raw, as: own.key)
            #expect(try token.destroyAll(of: "\(OwnToken.terminal)"))
            #expect(try !token.destroyAll(of: "\(OwnToken.terminal)"))
            #expect(try token.faults(of: [own.key]) == ["token greylock has no key MPK 1 2 310000000017"])
            #expect(try token.faults(of: others).isEmpty)
        }

        @Test("a token that is not there is taken when it comes")
        func comesLate() throws {
            let token = own.token(SoftToken.client)
            #expect(reason { _ = try token.words() }.hasPrefix("token greylock"))
            try own.soft.serve()
            try token.put(own.raw, as: own.key)
            #expect(try token.faults(of: [own.key]).isEmpty)
            own.soft.stop()
            #expect(reason { _ = try token.encrypted(TokenMark.input, under: own.key) }.hasPrefix("token greylock"))
            try own.soft.serve()
            _ = try token.encrypted(TokenMark.input, under: own.key)
        }

        @Test("a wrong PIN is tried once, until its file is another")
        func wrongPIN() throws {
            try own.writePIN("11111111")
            let token = own.token()
            let refused = reason { _ = try token.words() }
            #expect(refused.contains("refuses the PIN (PIN incorrect") && refused.contains(own.pinFile))
            #expect(!refused.contains("11111111"))
            // It would be right now, and is not tried.
            try own.soft.initialize(pin: "11111111")
            #expect(reason { _ = try token.words() } == refused)
            try own.writePIN("11111111\n")
            #expect(try token.words() == "token greylock (SoftHSM v2)")
        }

        @Test("a refused PIN is tried once more when the store was changed")
        func forgiven() throws {
            try own.writePIN("11111111")
            let token = own.token()
            #expect(reason { _ = try token.words() }.contains("refuses the PIN"))
            try own.soft.initialize(pin: "11111111")
            try token.forgiveRefusedPIN()
            _ = try token.words()
        }

        @Test("what hangs is refused in time, then at once, and serves again when it answers", .timeLimit(.minutes(10)))
        func hangs() throws {
            let token = own.token(SoftToken.client)
            try own.soft.serve()
            try token.put(own.raw, as: own.key)
            own.soft.freeze()
            let begun = ContinuousClock.now
            let silent = "token greylock does not answer"
            #expect(reason { _ = try token.encrypted(TokenMark.input, under: own.key) } == silent)
            let first = ContinuousClock.now - begun
            #expect(first > .seconds(2) && first < .seconds(8))
            #expect(reason { _ = try token.encrypted(TokenMark.input, under: own.key) } == silent)
            #expect(ContinuousClock.now - begun - first < .seconds(1))
            own.soft.thaw()
            let patience = Patience()
            while reason({ _ = try token.encrypted(TokenMark.input, under: own.key) }) != "", patience.milliseconds > 0
            {
                sched_yield()
            }
            _ = try token.encrypted(TokenMark.input, under: own.key)
        }

        @Test("a module that is none, that anybody may write or that has no such token is refused in words")
        func otherModule() throws {
            #expect(reason { _ = try own.token("/nowhere.so").words() }.contains("No such file"))
            #expect(
                reason { _ = try own.token("/etc/hostname").words() }.contains("cannot be used as a PKCS#11 module")
            )
            #expect(reason { _ = try own.token(label: "other").words() }.contains("token other is not there"))
            let copy = "\(own.pinFile).so"
            let module = URL(fileURLWithPath: SoftToken.module).resolvingSymlinksInPath().path
            try FileManager.default.copyItem(atPath: module, toPath: copy)
            #expect(unsafe chmod(copy, 0o666) == 0)
            #expect(reason { _ = try own.token(copy).words() }.contains("chmod o-w"))
        }

        @Test("a PIN that others may read, an empty and a long one are refused")
        func badPINFiles() throws {
            #expect(unsafe chmod(own.pinFile, 0o644) == 0)
            #expect(reason { _ = try own.token().words() }.contains("chmod 600"))
            try own.writePIN("\n")
            #expect(reason { _ = try own.token().words() }.contains("is empty"))
            try own.writePIN(String(repeating: "1", count: 256))
            #expect(reason { _ = try own.token().words() }.contains("longer than any PIN"))
        }
    }
}
