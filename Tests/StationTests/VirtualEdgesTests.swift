import FuelPassbook
import TestFolders
import TestPrograms
import Testing

/// The service on a board has no virtual edges: a configuration that names one is final there, and says what has them.
struct VirtualEdgesTests {
    @Test(arguments: [
        (ServiceConfiguration.reader, ServiceConfiguration.simulated(centilitres: 100, speed: 1), "pump.kind"),
        (
            #"kind = "virtual""#,
            ServiceConfiguration.gpio(
                """
                chip = "pump"
                a = 0
                b = 1
                nozzle = 2
                motor = 3
                main_valve = 4
                """
            ),
            "card.kind"
        ),
    ])
    func areRefusedByTheServiceOfABoard(card: String, pump: String, setting: String) throws {
        let folder = try TestFolder()
        let path = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(journal: (folder.path("journal.sqlite"), ""), card: card, pump: pump)
        )
        let run = try Run("greylockd", ["--config", path])
        #expect(run.status == 78)
        #expect(run.error.contains(setting) && run.error.contains("greylock run --config FILE"), "\(run.error)")
    }
}
