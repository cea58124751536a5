import ArgumentParser
import Console
import Glibc
import Station

@main
struct GreylockBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "greylock-bench",
        abstract: "Measure this build, each figure beside a named peer or limit in the same run.",
        discussion: """
            board/measure builds it as the programs of a board are built, and runs it: figures of a debug build \
            mean nothing. The PC/SC figures need pcscd with the virtual reader (Debian: pcscd, vsmartcard-vpcd), and each \
            peer in C a C compiler; what cannot be measured here is listed with the reason.

            Exit status: 0, whatever was measured. \(ExitStatusHelp.common)
            """,
        version: "greylock-bench \(Release.version)",
        subcommands: [PulseMatrix.self]
    )

    static func main() {
        StandardOutput.runProgram("greylock-bench") {
            var command = try parseAsRoot()
            try command.run()
        } explain: { error in
            (CommandLineHint.added(to: fullMessage(for: error)), exitCode(for: error).rawValue)
        }
    }

    @Option(help: ArgumentHelp("The programs to weigh; default: beside this one.", valueName: "FOLDER"))
    var programs: String?

    @Option(help: ArgumentHelp("Where the peers' sources lie.", valueName: "FOLDER"))
    var peers = "board/bench"

    func run() throws {
        let folder = programs ?? Self.ownFolder
        var table = BenchTable()
        table.add(CryptographyBench.run(peers: peers))
        table.add(TokenBench.run())
        table.add(KeyBlockBench.run(peers: peers))
        table.add(QuadratureBench.run(peers: peers))
        table.add(CardBench.run(peers: peers))
        table.add(CheckpointBench.run(peers: peers))
        table.add(ListBench.run())
        table.add(RecoveryBench.run())
        table.add(SimulationBench.run())
        table.add(ExchangeBench.run(peers: peers))
        table.add(DaemonBench.run(programs: folder, peer: Self.ownFolder + "/minimal-service"))
        writeLine(table.text)
    }

    private static var ownFolder: String {
        let link = unsafe realpath("/proc/self/exe", nil)
        defer { unsafe free(link) }
        let path = unsafe link.map { unsafe String(cString: $0) } ?? "."
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }
}
