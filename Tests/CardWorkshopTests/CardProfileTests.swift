import CardWorkshop
import Configuration
import Foundation
import FuelPassbook
import Quantities
import Testing

struct CardProfileTests {
    private static let board = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("board")

    /// One line of the example replaced; the error after the file's name, or `accepted`.
    private func verdict(_ key: String, _ line: String) throws -> String {
        let example = try String(contentsOf: Self.board.appendingPathComponent("card.toml"), encoding: .utf8)
        let lines = example.split(separator: "\n", omittingEmptySubsequences: false).map { row in
            row.hasPrefix("\(key) = ") || row.hasPrefix("#\(key) = ") ? line : String(row)
        }
        do throws(ConfigurationError) {
            _ = try CardProfile(toml: Array(lines.joined(separator: "\n").utf8), file: "card.toml")
            return "accepted"
        } catch {
            return error.description.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    @Test(arguments: [
        ("issuer", "issuer = \"GREYLOC\"", "issuer: 8 ASCII characters or 16 hexadecimal digits"),
        ("asn", "asn = \"0001 0000 0000 0000 004A\"", "asn: 20 digits in quotation marks"),
        ("asn", "", "asn: 20 digits in quotation marks (found nothing)"),
        ("valid_from", "valid_from = \"2024-02-30\"", "valid_from: a date such as"),
        ("valid_to", "valid_to = \"2023-12-31\"", "valid_to: a date that is not before valid_from, 2024-01-01"),
        ("balance_fen", "balance_fen = -1", "balance_fen: an integer from 0 to 4294967295 (found -1)"),
        ("overdraft_fen", "overdraft_fen = 16777216", "overdraft_fen: an integer from 0 to 16777215"),
        ("pin_tries", "pin_tries = 16", "pin_tries: an integer from 1 to 15 (found 16)"),
        ("gmac_tries", "gmac_tries = 0", "gmac_tries: an integer from 1 to 15 (found 0)"),
        ("name", "name = \"more than twenty bytes\"", "holder.name: a text of at most 20 bytes"),
        ("kind", "knid = 1", "holder.knid: a known key, perhaps kind"),
    ])
    func aWrongValueIsNamed(_ key: String, _ line: String, _ expected: String) throws {
        let found = try verdict(key, line)
        #expect(found.hasPrefix(expected), "\(found)")
    }

    @Test(arguments: [("pin", "pin = \"987654\""), ("pin", "pin = 987654"), ("keys", "keys = \"9876540011223344\"")])
    func whatMayBeASecretIsNotRepeated(_ key: String, _ line: String) throws {
        let found = try verdict(key, line)
        #expect(found.hasPrefix("\(key): ") && found.hasSuffix("(found another value, not shown here)"), "\(found)")
        #expect(!found.contains("9876"))
    }

    @Test func theBalanceIncludesTheOverdraftLimit() throws {
        let text = """
            issuer = "0102030405060708"
            asn = "00010000000000000043"
            valid_from = "2024-01-01"
            valid_to = "2024-01-01"
            balance_fen = 700
            overdraft_fen = 300
            pin = "ask"
            keys = "demonstration"
            """
        let profile = try CardProfile(toml: Array(text.utf8), file: "card.toml")
        #expect(profile.balance.fen == 1_000 && profile.overdraftLimit.fen == 300 && profile.pin == .ask)
        #expect(profile.file.issuer == [1, 2, 3, 4, 5, 6, 7, 8] && profile.holder == .blank)
    }
}
