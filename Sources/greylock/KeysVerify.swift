import ArgumentParser
import CardCryptography
import Console
import Files
import ISO7816
import KeyCustody
import KeyFiles
import Threads

struct KeysVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check one component against its sheet, typed or as a file; nothing is stored.",
        discussion: """
            A custodian types the component of a sheet, or names the file that keys generate made: check digits and the component's \
            check value are compared. Nothing of it is shown.

            Exit status: 0 when it is right; 1 when the custodian broke off; 65 when it is not; 69 without a terminal; 74 when the \
            file cannot be read. \(ExitStatusHelp.common)

            With --json: `right`, `checkValue`: of the digits as they stand there, `wrongGroups`: from 1.
            """
    )

    @Flag(help: "Typed: the key is one of two-key triple DES, not AES-256.")
    var tripleDES = false

    @Flag(help: "Typed: the sheet has no check digits: it is another program's.")
    var noCheckDigits = false

    @OptionGroup var output: JSONOption

    @Argument(help: ArgumentHelp("A sheet in a file; without it, it is typed.", valueName: "SHEET"))
    var sheet: String?

    func run() throws {
        try runTool("keys verify") { () throws(ServiceFailure) in
            let (checkValue, report) = if let sheet { try read(sheet) } else { try typed() }
            if output.json { writeLine(try jsonText(report)) }
            guard report.right else {
                throw ServiceFailure(exitStatus: KeyTool.refused, reason: words(of: report))
            }
            if !output.json { writeLine("the component is right: \(Hex.pairs(checkValue))") }
        }
    }

    private func typed() throws(ServiceFailure) -> ([UInt8], SheetReport) {
        let ceremony = try KeyCeremony(
            tripleDES ? .tripleDES : .aes256,
            hasCheckDigits: !noCheckDigits,
            patience: SheetOptions.usualPatience
        )
        let (checkValue, isRight) = try ceremony.isRight()
        return (checkValue, SheetReport(right: isRight, checkValue: Hex.string(checkValue), wrongGroups: []))
    }

    private func read(_ sheet: String) throws(ServiceFailure) -> ([UInt8], SheetReport) {
        try ProcessHardening.forbidDumps()
        let page = try KeyTool.stored { () throws(FileFault) in
            try SheetFile.page(sheet)
        }
        guard let verdict = SheetVerdict(of: page) else {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(sheet) is no sheet of a component")
        }
        let report = SheetReport(
            right: verdict.isRight,
            checkValue: Hex.string(verdict.checkValue),
            wrongGroups: verdict.wrongGroups
        )
        return (verdict.checkValue, report)
    }

    private func words(of report: SheetReport) -> String {
        guard report.wrongGroups.isEmpty else {
            let groups = report.wrongGroups.map { "\($0)" }.joined(separator: ", ")
            return "wrong groups: \(groups): compare them with the paper"
        }
        return "the component makes another check value than the sheet says: do not use it"
    }
}
