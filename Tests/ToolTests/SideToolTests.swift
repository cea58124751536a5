import TestFolders
import TestPrograms
import Testing

/// `greylock position` where several sides share the journal.
struct SideToolTests {
    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        config = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal"), ""),
                sides: [1, 2].map {
                    ServiceConfiguration.side($0, pump: ServiceConfiguration.simulated(centilitres: 100, speed: 1))
                }
            )
        )
        try makeJournal(folder.path("journal"))
    }

    @Test(arguments: ["1", "2"])
    func aSideIsShownByItsNumber(number: String) throws {
        let run = try Run("greylock", ["position", "--position", number, "--config", config])
        #expect(run.output.contains("position \(number) has not closed itself"), "\(run.output)\(run.error)")
    }

    @Test func withoutANumberAllAreShownAndWhatConcernsThemAllIsDone() throws {
        for more in [[], ["--accept-clock"]] {
            let run = try Run("greylock", ["position", "--config", config] + more)
            let isWhole = run.output.contains("position 1 ") && run.output.contains("position 2 ")
            #expect(isWhole, "\(run.output)\(run.error)")
        }
    }

    @Test(arguments: [
        (["--clear", "--name", "T. Nician", "--reason", "pulser mended"], "nothing"), (["--position", "3"], "3"),
    ])
    func ofSeveralSidesOneIsMeant(more: [String], found: String) throws {
        let run = try Run("greylock", ["position", "--config", config] + more)
        #expect(run.status == 64)
        #expect(run.error == "greylock position: --position: expected one of 1, 2 (found \(found))\n")
    }
}
