import ArgumentParser
import CardWorkshop
import Console
import Files
import FuelPassbook
import ISO7816
import Issuer
import KeyCustody
import KeyFiles
import Threads

struct KeysReceipt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt",
        abstract: "What this terminal holds, for its issuer, who can check that this terminal wrote it.",
        discussion: """
            The receipt names keys, check values, states and dates, never keys, with a code under the record key over all lines. At the \
            issuer, --check and --store tell whether it is authentic, with the record key that is drawn from the issuer's store.

            Exit status: 0; 1 when no passphrase was typed; 65 when a receipt is not authentic, or none; 69 without a record key or with a clock that is not set, or \
            without a terminal for the passphrase; 74 when a file cannot be read or does not open; 78 for a wrong configuration. \
            \(ExitStatusHelp.common)

            With --json: `terminal`, `change`, `keys` as keys list has them, `text`: the receipt, `code`; of --check: `terminal`, \
            `authentic`, `lines`.
            """
    )

    @Option(help: ArgumentHelp("The configuration of the service, whose [keys] names the store.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("A receipt to check.", valueName: "RECEIPT"))
    var check: String?

    @Option(help: ArgumentHelp("The issuer's key store, to check with.", valueName: "FILE"))
    var store: String?

    @OptionGroup var output: JSONOption

    func validate() throws {
        guard (config != nil) != (check != nil), (check == nil) == (store == nil) else {
            throw ValidationError("expected --config, or --check with --store")
        }
    }

    func run() throws {
        try runTool("keys receipt") { () throws(ServiceFailure) in
            if let config { try write(config) }
            if let check, let store { try self.check(check, store) }
        }
    }

    private func write(_ config: String) throws(ServiceFailure) {
        let store = try KeyTool.store(config)
        let now = try KeyTool.now()
        let keys = try KeyTool.stored { () throws(FileFault) in try store.read() }?.keys
        guard let keys, let receipt = KeyReceipt(of: keys, at: now) else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "terminal \(store.terminal) has no record key to code a receipt with: load it first"
            )
        }
        guard output.json else { return writeLine(receipt.text) }
        let report = KeyReceiptReport(
            terminal: "\(keys.terminal)",
            change: keys.number.change,
            keys: HeldKeyReport.all(of: keys, at: now),
            text: receipt.text,
            code: receipt.code
        )
        writeLine(try jsonText(report))
    }

    private func check(_ file: String, _ store: String) throws(ServiceFailure) {
        let bytes = try KeyTool.bytes(of: file, max: KeyReceipt.bytesMax)
        let receipt: KeyReceipt
        do throws(ParseError) { receipt = try KeyReceipt(parsing: String(decoding: bytes, as: UTF8.self)) } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(file) is no receipt, or not a whole one")
        }
        guard let keys = try KeyStoreFile.open(store)[receipt.recordKey] else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: """
                    \(file) is coded under \(HeldKeyName(.record, receipt.recordKey).words), and \(store) has no masters of that index \
                    and version: name the store that has
                    """
            )
        }
        let isAuthentic = receipt.isAuthentic(under: keys.recordKey(of: receipt.terminal))
        if output.json {
            let report = KeyReceiptCheck(terminal: "\(receipt.terminal)", authentic: isAuthentic, lines: receipt.lines)
            writeLine(try jsonText(report))
        }
        guard isAuthentic else {
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: "\(file) is not authentic: terminal \(receipt.terminal) did not write it, or it was altered"
            )
        }
        if !output.json { writeLine("\(file) is authentic: terminal \(receipt.terminal) wrote it") }
    }
}
