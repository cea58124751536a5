import TestFolders
import TestPrograms
import Testing

/// `greylock lines` where there is no line.
struct LinesToolTests {
    private func refusal(_ arguments: [String], status: Int32) throws -> String {
        let run = try Run("greylock", ["lines"] + arguments)
        #expect(run.status == status)
        return run.error
    }

    @Test func aSimulatedPumpHasNone() throws {
        let folder = try TestFolder()
        let config = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal"), ""),
                pump: ServiceConfiguration.simulated(centilitres: 100, speed: 1)
            )
        )
        for further in [[], ["--find"]] {
            let error = try refusal(["--config", config] + further, status: 69)
            #expect(error.contains("no side of the configuration has lines: give --chip"))
        }
    }

    @Test func optionsThatMeanNothingAreRefused() throws {
        #expect(try refusal([], status: 64).contains("one of --config and --chip is needed"))
        #expect(try refusal(["--chip", "x", "--lines", "1"], status: 64).contains("have a meaning with --find only"))
        let both = ["--chip", "x", "--find", "--lines", "1", "--profile", "y"]
        #expect(try refusal(both, status: 64).contains("--profile or --lines, not both"))
        #expect(try refusal(["--chip", "x", "--find", "--lines", "0-512"], status: 64).contains("'0-512' is invalid"))
    }
}
