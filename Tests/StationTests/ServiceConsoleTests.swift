import Foundation
import FuelPassbook
import Glibc
import TestFolders
import TestPrograms
import Testing

/// The service at a terminal of its own, with a virtual card and a simulated pump.
@Suite("The service's console", .timeLimit(.minutes(10)))
struct ServiceConsoleTests {
    private static let prompt = "your PIN, then Enter: "
    private static let pin = "123456"
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func service(
        pin: String = "terminal",
        language: String = "english",
        centilitres: Int = 1_000,
        price: Int = 785,
        speed: Int = 4,
        isSealed: Bool = true,
        environment: [String] = []
    ) throws -> ProgramAtTerminal {
        let configuration = try folder.file(
            "greylock.toml",
            ServiceConfiguration.text(
                journal: (folder.path("journal.sqlite"), ""),
                pin: pin,
                language: language,
                price: price,
                pump: ServiceConfiguration.simulated(centilitres: centilitres, speed: speed),
                isSealed: isSealed
            )
        )
        return try ProgramAtTerminal("greylock", ["run", "--config", configuration], environment: environment)
    }

    private func fuelling(_ service: ProgramAtTerminal) throws {
        try service.wait(for: Self.prompt, on: .screen)
        try service.type(Self.pin + "\r")
        try service.wait(for: " L ", on: .screen)
    }

    private func sales() throws -> [JournalReport.Sale] {
        try JournalReport(journal: folder.path("journal.sqlite")).sales
    }

    @Test("no key is shown; each refusal is said, the second equal one too; an edited line is the PIN that is meant")
    func editing() throws {
        let service = try service()
        let answers = [
            ("12\r", "Type again: a PIN is 4 to 12 digits."), ("12\r", "Type again: a PIN is 4 to 12 digits."),
            ("1234567890123\r", "Type again: too long"), ("12a4\r", "Type again: only digits"),
            ("\u{8}9\u{1B}[D\u{15}7\u{1B}[3~12345９\u{7F}\u{0}6\r", "Lift the nozzle."),
        ]
        for (keys, answer) in answers {
            try service.wait(for: Self.prompt, on: .screen)
            try service.type(keys)
            try service.wait(for: answer, on: .screen)
        }
        let screen = service.screen
        for typed in ["12\r", "12a4", "123", "９", "^C", "^[", "^@"] {
            #expect(!screen.contains(typed), "\(typed) was shown")
        }
        #expect(!service.isOrdinary)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
        #expect(service.isOrdinary)
    }

    @Test("Ctrl-C at the PIN gives the card back, and the service goes on", arguments: ["\u{3}", "\u{1C}", "\u{4}"])
    func cancel(key: String) throws {
        let service = try service()
        try service.wait(for: Self.prompt, on: .screen)
        try service.type("12" + key + "3456\r")
        try service.wait(for: "Cancelled. Take your card.", on: .screen)
        try service.wait(for: "Take your card.", on: .screen)
        for number in 1...6 { service.signal(number % 2 == 0 ? SIGINT : SIGTERM) }
        #expect(service.end() == 0)
        #expect(service.log.contains("closed"))
        #expect(try sales().isEmpty)
    }

    @Test("nothing at the console stops, kills or shows anything in mid-sale, and no signal of the terminal does")
    func midSale() throws {
        let service = try service()
        try fuelling(service)
        try service.type("\u{3}\u{1C}\u{1A}\u{13}\u{4}7777\r")
        let ofTheConsole = [SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGPIPE]
        let others = [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGIO, SIGSTKFLT, 34, 64]
        for number in ofTheConsole + others { service.signal(number) }
        try service.wait(for: "paid", on: .screen)
        #expect(!service.screen.contains("7777"))
        try service.wait(for: "notice paid", on: .log)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
        #expect(try sales().map(\.phase) == ["settled"])
        #expect(try sales().map(\.counts) == [[4_000]])
    }

    @Test("the key i shows which program runs and which parameters are in force, to somebody who compares them")
    func identification() throws {
        let service = try service(pin: "terminal")
        try fuelling(service)
        try service.wait(for: "Take your card.", on: .screen)
        try service.type("i")
        try service.wait(for: "Meter: parameters version 1, checksum ", on: .screen)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
        let tool = try Run("greylock", ["identify", "--json", "--config", folder.path("greylock.toml")])
        let report = try JSONSerialization.jsonObject(with: Data(tool.output.utf8)) as? [String: Any]
        let digits = try #require(report?["sha256"] as? String)
        let set = try #require((report?["parameters"] as? [[String: Any]])?.first)
        let checksum = try #require(set["checksum"] as? String)
        #expect(service.screen.contains("Program greylock ") && service.screen.contains(digits))
        #expect(service.screen.contains("checksum \(checksum)"))
    }

    @Test("the key i shows the program also where the seal of the meter is not in order")
    func identificationWithoutSeal() throws {
        let service = try service(isSealed: false)
        try service.wait(for: "the seal of the meter is not in order", on: .screen)
        try service.type("i")
        try service.wait(for: "Meter: no parameters in force", on: .screen)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
        let tool = try Run("greylock", ["identify", "--json", "--config", folder.path("greylock.toml")])
        let report = try JSONSerialization.jsonObject(with: Data(tool.output.utf8)) as? [String: Any]
        #expect(service.screen.contains(try #require(report?["sha256"] as? String)))
    }

    @Test("a terminal that is closed in mid-sale ends the service after the sale, for another start at a console")
    func hangUp() throws {
        let service = try service()
        try fuelling(service)
        service.hangUp()
        #expect(service.end() == 69)
        #expect(service.log.contains("mac4=valid") && service.log.contains("the console is gone"))
        #expect(try sales().map(\.phase) == ["settled"])
    }

    @Test(
        "a fatal signal ends the service at once, whatever the environment says of a crash reporter; the terminal is given back",
        arguments: [SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGTRAP, SIGFPE]
    )
    func crash(number: Int32) throws {
        let service = try service(environment: ["SWIFT_BACKTRACE=enable=yes,interactive=no,timeout=60s"])
        try fuelling(service)
        let begun = ContinuousClock.now
        service.signal(number)
        #expect(service.end() == -number)
        #expect(ContinuousClock.now - begun < .seconds(10))
        #expect(service.isOrdinary)
        #expect(!service.log.contains("Backtrac"))
    }

    @Test("neither stream has a whole card number, and the log has its own words")
    func streams() throws {
        let service = try service()
        try fuelling(service)
        try service.wait(for: "Take your card.", on: .screen)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
        let number = "00010000000000000042"
        #expect(!service.screen.contains(number) && !service.log.contains(number))
        #expect(service.screen.contains("****0042") && service.log.contains("card=****0042"))
        #expect(!service.screen.contains("state=") && !service.screen.contains("mac4"))
        #expect(service.log.contains("type your PIN") && !service.log.contains("Insert your card."))
    }

    @Test("a customer who reads Chinese is asked and answered in Chinese, and the log stays English")
    func chinese() throws {
        let service = try service(language: "chinese")
        let prompt = "请输入密码，按回车键确认："
        try service.wait(for: prompt, on: .screen)
        try service.type("12\r")
        try service.wait(for: "密码为4至12位数字", on: .screen)
        try service.wait(for: prompt, on: .screen)
        try service.type(Self.pin + "\r")
        try service.wait(for: "请提枪加油。", on: .screen)
        try service.wait(for: "请取卡。", on: .screen)
        try service.type("i")
        try service.wait(for: "计量参数第 1 版", on: .screen)
        service.signal(SIGTERM)
        #expect(service.end() == 0)
        #expect(!service.screen.contains("Lift the nozzle") && !service.screen.contains("card"))
        #expect(service.log.contains("notice paid") && service.log.contains("type your PIN"))
        #expect(service.log.utf8.allSatisfy { $0 < 0x80 })
        #expect(try sales().map(\.phase) == ["settled"])
    }

    @Test("a log that nobody reads and a console that is held keep no sale and no stop waiting")
    func nobodyReads() throws {
        let service = try service(pin: "fixed", centilitres: 15_000, price: 100, speed: 100)
        try service.narrowLog()
        try service.stopOutput()
        // A line for each of 150 litres is more than the pipe holds.
        var phases: [String] = []
        let patience = Patience()
        while phases != ["settled"], patience.milliseconds > 0 {
            do { phases = try sales().map(\.phase) } catch is DecodingError { continue }
        }
        let begun = ContinuousClock.now
        service.signal(SIGTERM)
        #expect(service.endUnread() == 0)
        #expect(ContinuousClock.now - begun < .seconds(2))
    }
}
