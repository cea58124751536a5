import ArgumentParser
import Console
import Files
import Glibc
import Quantities
import Station
import Threads
import Words

struct SupportReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "A support archive: what somebody who helps with this board needs to know.",
        discussion: """
            A tar.gz file with versions, configuration, state of the service, its last lines of log, a summary of the records, chips, disks and clock. \
            It changes nothing and works beside a running service and without one. No key is read. What leaves the board is masked: \
            of card numbers the last four digits stay, and every number of four digits or more that somebody may have written, and all \
            that looks like a key, is taken away. Look into it before you send it: tar -xzOf FILE | less.

            Root and the service's user see everything; for another user the archive says what could not be read. A file that is there is \
            not overwritten.

            Exit status: 0; 69 when tar is missing or does not answer; 74 when the archive cannot be written, or a file of its name is there. \
            \(ExitStatusHelp.common)
            """
    )

    @Option(
        help: ArgumentHelp(
            "The archive; without it, greylock-report- and the time of day, in the present folder.",
            valueName: "FILE"
        )
    )
    var into: String?

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config = "/etc/greylock.toml"

    func run() throws {
        try runTool("report") { () throws(ServiceFailure) in
            let name = "greylock-report-\(SystemClock().fileName)"
            let file = into ?? "\(name).tar.gz"
            guard unsafe access(file, F_OK) != 0 else {
                throw ServiceFailure(
                    exitStatus: ServiceFailure.inputOutput,
                    reason: "\(file) is there already, and is left as it is: name a new file with --into"
                )
            }
            let archive = SupportArchive(name: name, ReportContents(config: config).sections())
            let bytes = try archive.packed()
            do throws(FileFault) { try WholeFile.create(file, with: bytes) } catch {
                throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
            }
            for section in archive.sections {
                for problem in section.problems { standardError("greylock report: \(section.name): \(problem.text)") }
            }
            writeLine(
                "\(file): \(archive.sections.count) files, \(bytes.count) bytes; look into it: tar -xzOf \(file) | less"
            )
        }
    }
}

extension SystemClock {
    /// For a file's name: "20261127-104604".
    fileprivate var fileName: String {
        guard let time = localTime else { return "without-a-clock" }
        return "\(time)".filter { $0 == " " || $0.isNumber }.replacing(" ", with: "-")
    }
}
