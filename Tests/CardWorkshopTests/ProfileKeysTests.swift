import CardWorkshop
import FuelPassbook
import Testing
import Threads

/// What a profile says of its keys.
struct ProfileKeysTests {
    @Test func aProfileNamesItsKeyStore() throws {
        #expect(try read(profile(keys: "./issuer.keys", more: "")).keys == .store("./issuer.keys"))
        #expect(try read(profile(keys: "demonstration", more: "")).keys == .demonstration)
    }

    @Test func anotherIndexOrVersionThanTheKeysIsRefused() throws {
        for (more, accepted) in [
            ("", true), ("key_index = 1\nkey_version = 1", true), ("key_index = 2", false), ("key_version = 2", false),
        ] {
            let profile = try read(profile(keys: "demonstration", more: more))
            do throws(ServiceFailure) {
                _ = try profile.image(pin: Demonstration.pin, keys: .demonstration)
                #expect(accepted, "\(more)")
            } catch {
                #expect(!accepted && error.exitStatus == ServiceFailure.configuration, "\(more)")
            }
        }
    }

    private func read(_ text: String) throws -> CardProfile {
        try CardProfile(toml: Array(text.utf8), file: "card.toml")
    }

    private func profile(keys: String, more: String) -> String {
        """
        issuer = "GREYLOCK"
        asn = "00010000000000000043"
        valid_from = "2024-01-01"
        valid_to = "2049-12-31"
        balance_fen = 700
        pin = "demonstration"
        keys = "\(keys)"
        \(more)
        """
    }
}
