import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// A service that does not get as far as serving (decision record 0024).
struct StartTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test(
        "a stop while a file does not answer is taken at once and ends the start",
        arguments: [[], ["--close-valves"]]
    )
    func hanging(more: [String]) throws {
        let path = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal.sqlite"), ""),
                pump: ServiceConfiguration.simulated(centilitres: 100, speed: 1)
            )
        )
        let disk = try HangingDisk(in: folder, openingOf: path)
        disk.fail()
        let service = try Program("greylockd", ["--config", path] + more, variables: disk.variables)
        try disk.awaitHang()
        let begun = ContinuousClock.now
        service.signal(SIGHUP)
        service.signal(SIGTERM)
        #expect(service.end() == 75)
        #expect(ContinuousClock.now - begun < .seconds(10))
        let words = "stopped, but not finished: a file that is read at the start does not answer"
        #expect(service.lines.last?.contains(words) == true, "\(service.lines)")
        #expect(service.lines.contains { $0.contains("valves-off-after-ms") } == more.isEmpty)
    }
}
