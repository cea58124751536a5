import Dispenser
import Foundation
import FuelPassbook
import Glibc
import ISO7816
import TestFolders
import TestPrograms
import Testing

extension WithPCSCD {
    /// What the service's memory holds of its secrets, during sales and after them, however they end.
    ///
    /// MPK's round keys and the sealing key are found in the locked arena in every search: each is also a proof that
    /// the search finds.
    @Suite(
        .enabled(
            if: CardDaemon.isRequired || ProcessMemory.isReadable,
            Comment(rawValue: ProcessMemory.reasonToSkip)
        ),
        .timeLimit(.minutes(10))
    )
    struct WipeProofTests {
        private let folder: TestFolder
        private let daemon: CardDaemon

        init() throws {
            folder = try TestFolder()
            daemon = try CardDaemon(port: CardDaemon.freePorts())
        }

        private func service(aid: [UInt8] = Demonstration.aid) throws -> ServiceAtTerminal {
            let configuration = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path("journal.sqlite"), ""),
                    board: #"aid = "\#(Hex.string(aid))""#,
                    card: ServiceConfiguration.reader,
                    pin: "terminal",
                    grace: 1,
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 2)
                )
            )
            let service = try ServiceAtTerminal(configuration: configuration)
            try service.wait(for: "insert your card")
            return service
        }

        // MARK: - The search itself

        @Test("a key that is planted in ordinary memory, by way of the configuration, is found there")
        func plantedByConfiguration() throws {
            let hits = try service(aid: TerminalSecrets.cardKey).stopped { try $0.search(for: TerminalSecrets.ofCard) }
            for half in TerminalSecrets.ofCard {
                #expect(hits.contains { $0.secret == half.name && !$0.isInArena })
            }
        }

        @Test("a round key that is planted in each mapping, and across two pages, is found at each place")
        func plantedEverywhere() throws {
            let secret = try #require(TerminalSecrets.ofCard.first)
            let planted = try #require(secret.schedule.last)
            try service().stopped { memory in
                #expect(try memory.search(for: [secret]).isEmpty)
                let ownMappings = memory.mappings.filter { !$0.isShared }
                var places = ownMappings.map { $0.range.upperBound - UInt(planted.count) }
                places += ownMappings.filter { $0.range.count > 4_096 }.map { $0.range.lowerBound + 4_096 - 3 }
                let before = try places.map { try memory.bytes(at: $0, count: planted.count) }
                for place in places { try memory.write(planted, at: place) }
                #expect(try memory.search(for: [secret]).map(\.address).sorted() == places.sorted())
                for (place, bytes) in zip(places, before) { try memory.write(bytes, at: place) }
                #expect(try memory.search(for: [secret]).isEmpty)
            }
        }

        @Test("the AES-256 round keys that are looked for are those of FIPS 197, A.3")
        func expansion() throws {
            let key = try Hex.bytes("603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4")
            #expect(Hex.string(AES256Schedule.words(of: key)[59]) == "706C631E")
        }

        // MARK: - Sales

        @Test("a completed sale")
        func completed() throws {
            let service = try service()
            let card = try SpyingCard(port: daemon.port)
            try expectSecretsDuringSale(service, card)
            try service.wait(for: "notice paid")
            try service.waitForEndOfVisit()
            try expectNoSecrets(service, card, sessions: 2)
        }

        @Test("an escape: the card is pulled while fuel flows")
        func escape() throws {
            let service = try service()
            let card = try SpyingCard(port: daemon.port)
            // A stop that lasts ends the sale: the card goes before the service goes on.
            try expectSecretsDuringSale(service, card) { try card.pull() }
            try service.wait(for: "is not paid: the card is locked")
            try service.waitForEndOfVisit()
            try expectNoSecrets(service, card, sessions: 1)
        }

        static let exchanges: [Instruction] = [
            .select, .readBinary, .getGreyStatus, .verify, .initializeForPetrol, .lockForPetrol, .debitForPetrol,
        ]

        @Test(arguments: exchanges.flatMap { [CardMishap.leavesBefore($0), .leavesAfter($0)] })
        func cardLeaves(mishap: CardMishap) throws {
            let service = try service()
            let card = try SpyingCard(port: daemon.port, mishap)
            try service.wait(for: "reading the card")
            try service.waitForEndOfVisit()
            let answered: [CardMishap] =
                [.leavesAfter(.initializeForPetrol)]
                + [.lockForPetrol, .debitForPetrol].flatMap { [.leavesBefore($0), .leavesAfter($0)] }
            try expectNoSecrets(service, card, sessions: answered.contains(mishap) ? 1 : 0)
        }

        @Test(arguments: [
            (Instruction.initializeForPetrol, "MAC1 of the card is wrong", 1),
            (.lockForPetrol, "MAC3 of the card is wrong", 1),
            // The card is asked once more whether it is free.
            (.debitForPetrol, "mac4=valid", 2),
        ])
        func wrongCode(instruction: Instruction, remark: String, sessions: Int) throws {
            let service = try service()
            let card = try SpyingCard(port: daemon.port, .wrongCode(instruction))
            try service.wait(for: remark)
            try service.waitForEndOfVisit()
            try expectNoSecrets(service, card, sessions: sessions)
        }

        @Test("SIGTERM in mid-sale, seen when the process has done everything but end")
        func terminated() throws {
            let service = try service()
            let card = try SpyingCard(port: daemon.port)
            try expectSecretsDuringSale(service, card)
            let secrets = secrets(of: card)
            let (hits, exitStatus) = try service.terminate { try $0.search(for: secrets) }
            #expect(exitStatus == 0)
            expectOnlyMaster(hits)
            try expectNoSecretsOnDisk(card)
            try card.pull()
        }

        // MARK: - Expectations

        private func secrets(of card: SpyingCard) -> [SecretPatterns] {
            TerminalSecrets.ofTerminal + TerminalSecrets.ofCard + [SecretPatterns(pin: SpyingCard.pin)]
                + card.sales.map(TerminalSecrets.ofSale)
        }

        /// While fuel flows SESPK's round keys and the PIN stand in the arena, and DPK nowhere.
        private func expectSecretsDuringSale(
            _ service: ServiceAtTerminal,
            _ card: SpyingCard,
            beforeItGoesOn: () throws -> Void = {}
        ) throws {
            try service.wait(for: "L, ")
            let hits = try service.stopped { memory in
                let hits = try memory.search(for: secrets(of: card))
                try beforeItGoesOn()
                return hits
            }
            let sessions = hits.filter { $0.secret == "SESPK" }
            #expect(sessions.count >= 16 && sessions.allSatisfy { $0.isSchedule && $0.isInArena })
            let pins = hits.filter { $0.secret == "PIN" }
            #expect(pins.count == 1 && pins.allSatisfy(\.isInArena))
            expectOnlyMaster(hits.filter { $0.secret != "SESPK" && $0.secret != "PIN" })
        }

        private func expectNoSecrets(_ service: ServiceAtTerminal, _ card: SpyingCard, sessions: Int) throws {
            #expect(card.sales.count == sessions)
            let hits = try service.stopped { try $0.search(for: secrets(of: card)) }
            expectOnlyMaster(hits)
            for held in ["MPK left", "sealing key"] { #expect(hits.contains { $0.secret == held }) }
            try expectNoSecretsOnDisk(card)
            try card.pull()
        }

        /// Nor in any byte of the journal's files, the removed pages and the `-wal` file included. A column's name, which
        /// stands in them, shows that the search finds.
        private func expectNoSecretsOnDisk(_ card: SpyingCard) throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
            let files = try names.filter { $0.hasPrefix("journal.sqlite") }.map { name in
                try Data(contentsOf: folder.url.appendingPathComponent(name))
            }
            #expect(!files.isEmpty)
            for secret in secrets(of: card) {
                for pattern in secret.all {
                    #expect(!files.contains { $0.firstRange(of: pattern) != nil }, "\(secret.name) is on disk")
                }
            }
            #expect(files.contains { $0.firstRange(of: Array("lock_tac".utf8)) != nil })
        }

        /// In the arena MPK stands expanded, and the sealing key as it is.
        private func expectOnlyMaster(_ hits: [ProcessMemory.Hit]) {
            let unexpected = hits.filter { hit in
                switch hit.secret {
                case "MPK left", "MPK right": !hit.isInArena || !hit.isSchedule
                case "sealing key": !hit.isInArena || hit.isSchedule
                case _: true
                }
            }
            #expect(unexpected.isEmpty, "\(Dictionary(grouping: unexpected, by: \.description).keys.sorted())")
        }
    }
}
