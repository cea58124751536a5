import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

@testable import PCSC

extension WithPCSCD {
    /// Faults of card readers, each made with a pcscd of its own, found, mended and gone.
    @Suite("doctor: card readers", .timeLimit(.minutes(10)))
    final class DoctorReaderTests {
        private let folder: TestFolder
        private let config: String
        private var daemon: CardDaemon?

        init() throws {
            folder = try TestFolder()
            config = folder.path("greylock.toml")
            try configure("Virtual PCD 00 00")
            CardDaemon.nameSocket()
        }

        private func configure(_ reader: String, port: String? = nil, journal: String = "journal") throws {
            _ = try folder.file(
                "greylock.toml",
                ServiceConfiguration.text(
                    journal: (folder.path(journal), ""),
                    card: "kind = \"pcsc\", reader = \"\(reader)\"" + (port.map { ", port = \"\($0)\"" } ?? ""),
                    pump: ServiceConfiguration.simulated(centilitres: 500, speed: 1)
                )
            )
        }

        private func look() throws -> Doctored { try Doctored(["--config", config]) }

        /// With a kernel that shows USB devices of the test's.
        private func look(at devices: TestFolder) throws -> Doctored {
            let script = """
                exec unshare --mount \(getuid() == 0 ? "" : "--map-root-user") bash -c '
                  mount -t tmpfs tmpfs /sys/bus && mkdir /sys/bus/usb && cp -r "$0" /sys/bus/usb/devices && exec "$@"
                ' \(devices.url.path) "$@"
                """
            return try Doctored(["--config", config], before: script)
        }

        private func start(withReaders: Bool = true, third: String? = nil) throws {
            daemon?.stop()
            daemon = try CardDaemon(port: CardDaemon.freePorts(), withReaders: withReaders, third: third)
        }

        @Test("pcscd does not run, and does not answer")
        func service() throws {
            try start()
            try provoke("pcscd-stopped") {
                try look()
            } fault: {
                daemon?.stop()
            } mend: { finding in
                #expect(finding.mend == "systemctl enable --now pcscd.socket")
                try start()
            }
            try provoke("pcscd-silent", saw: "did not answer within 5 s") {
                try look()
            } fault: {
                daemon?.freeze()
            } mend: { _ in
                try start()
            }
        }

        @Test("the reader is not there, is not told apart, or is one of several")
        func choice() throws {
            try start()
            try provoke("reader-missing", saw: "there are \"Virtual PCD 00 00\"") {
                try look()
            } fault: {
                try configure("Omnikey")
            } mend: { finding in
                #expect(finding.mend.contains("name one that is there") && finding.position == 1)
                try configure("Virtual PCD 00 00")
            }
            try provoke("reader-ambiguous", saw: "\"PCD\" means \"Virtual PCD 00 00\", \"Virtual PCD 00 01\"") {
                try look()
            } fault: {
                try configure("PCD")
            } mend: { finding in
                #expect(finding.mend.hasSuffix("[side.1.card] reader = \"Virtual PCD 00 00\""))
                try configure("Virtual PCD 00 01")
            }
            try configure("Virtual PCD")
            try provoke("readers-alike", saw: "\"Virtual PCD 00 00\", \"Virtual PCD") {
                try look()
            } fault: {
                try start(third: "Virtual PCD")
            } mend: { finding in
                #expect(finding.mend.hasSuffix("or leave one plugged in"))
                try start()
            }
        }

        @Test("of two alike readers one is chosen by its port")
        func port() throws {
            let devices = try TestFolder()
            _ = try USBDevices.made(in: devices)
            daemon?.stop()
            daemon = try CardDaemon(port: CardDaemon.freePorts(), third: "Alike PCD", hasTwin: true)
            try daemon?.setThirdReaderChannel([0x07, 0x01, 0x20, 0x00])
            try daemon?.setThirdReaderChannel([0x09, 0x01, 0x20, 0x00], ofTwin: true)
            try configure("Alike PCD", port: "1-1.4")
            try provoke("readers-alike", saw: "\"Alike PCD 00 00\" at 1-1.3, \"Alike PCD 01 00\" at 1-1.4") {
                try look(at: devices)
            } fault: {
                try configure("Alike PCD")
            } mend: { finding in
                #expect(finding.mend.contains("name the USB port of the side's own with [side.N.card] port"))
                try configure("Alike PCD", port: "1-1.4")
            }
            try provoke("reader-missing", saw: "no reader \"PCD\" at USB port 2-1: there are ") {
                try look(at: devices)
            } fault: {
                try configure("PCD", port: "2-1")
            } mend: { finding in
                #expect(finding.saw.contains("\"Alike PCD 01 00\" at 1-1.4"))
                #expect(finding.saw.contains("\"Virtual PCD 00 00\", whose port cannot be asked: its driver does not"))
                try configure("PCD", port: "1-1.3")
            }
        }

        @Test("another program uses the card, which goes on with it")
        func inUse() throws {
            try start()
            let port = try #require(daemon?.port)
            let card = try Program("greylock", ["card", "serve", "--vpcd", "\(port)", "--state", folder.path("card")])
            var other: Program?
            try provoke("reader-in-use", saw: "Virtual PCD 00 00") {
                try look()
            } fault: {
                try configure("Virtual PCD 00 00", journal: "other")
                other = try Program("greylock", ["run", "--config", config])
                // It holds the card while fuel flows.
                #expect(other?.wait(for: " L, ") != nil, "\(other?.lines ?? [])")
                try configure("Virtual PCD 00 00")
            } mend: { _ in
                #expect(other?.wait(for: "notice paid") != nil)
                other?.signal(SIGTERM)
                #expect(other?.end() == 0)
            }
            card.signal(SIGTERM)
            #expect(card.end() == 0)
        }
    }
}
