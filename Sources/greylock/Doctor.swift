import ArgumentParser
import Configuration
import Console
import Files
import Glibc
import Journal
import Station
import Threads

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Look at all that a board needs, and say of each finding what was seen, how to mend it and where it stands.",
        discussion: """
            Chips and lines, readers, keypads, keys, parameters, journal, clocks, disks, rights, sockets, the unit and watchdogs. Nothing is \
            changed and nothing is taken, so the service may run: it is asked, at its read socket, and what it holds is looked at from \
            outside. A few kilobytes are written to each disk, to a file without a name, to see how long that takes; not while fuel \
            flows, as far as the service says so.

            The pages that it names lie in /usr/share/doc/greylock, and manual pages where man finds them.

            Run it as root, who sees everything. What the service may do is judged by modes and groups for the unit's user, or that of \
            --user, or without either whoever runs this. --list prints all findings there are.

            With --json: `version`, `configuration`, `user`, `verdict`: well, warnings or faults; `findings`, each with `code`, `severity`, \
            `area`, `position` where it is a side's, `saw`, `mend`, `page`; `inOrder` and `notSeen`, each with `area` and `saw`. A code \
            stays its finding's own.

            Exit status: 0 when all is well; 1 with warnings; 2 with faults; 78 for a wrong profile. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The service's configuration.", valueName: "FILE"))
    var config = "/etc/greylock.toml"

    @Option(help: ArgumentHelp("The service's user, where no unit says it.", valueName: "USER"))
    var user: String?

    @Option(
        help: ArgumentHelp("The board's profile, by name or as a file; without it, this board's.", valueName: "PROFILE")
    )
    var profile: String?

    @Flag(help: "Print what may be found, and look at nothing.")
    var list = false

    @Flag(help: "One JSON object, as the overview says.")
    var json = false

    /// What a process of its own is for.
    @Option(help: .hidden)
    var probe: String?

    func run() throws {
        if let probe { return writeLine(DiskProbe(writingTo: probe).words, terminator: "") }
        var verdict: Severity?
        try runTool("doctor") { () throws(ServiceFailure) in
            if list { return try writeList() }
            let chosen: BoardProfile? = if let profile { try BoardProfile.load(profile) } else { nil }
            var examination = Examination(config: config, user: user, profile: chosen)
            let diagnosis = examination.run()
            if json {
                writeLine(try jsonText(DoctorReport(diagnosis, config, examination.account)))
            } else {
                writeLine("greylock \(Release.version), \(config), for the user \(examination.account.name)")
                for line in diagnosis.lines() { writeLine(line) }
            }
            // What was found is the output; nothing went wrong that is to be said.
            verdict = diagnosis.verdict
        }
        switch verdict {
        case .fault: throw ExitCode(Self.faultsStatus)
        case .warning: throw ExitCode(Self.warningsStatus)
        case nil: break
        }
    }

    private static let (warningsStatus, faultsStatus): (Int32, Int32) = (1, 2)
    /// Exit statuses with which it says what it found.
    static let foundStatuses: Set<Int32> = [warningsStatus, faultsStatus]
    /// For other programs that wait for it: as long as all that it gives a limit to may take.
    static let secondsMax = 120

    private func writeList() throws(ServiceFailure) {
        if json { return writeLine(try jsonText(FindingRow.all)) }
        for row in FindingRow.all {
            writeLine("\(row.code.rawValue) (\(row.severity.rawValue)): \(row.meaning)")
            writeLine("  mend  \(row.mend)")
            writeLine("  page  \(row.page)")
        }
    }
}

private struct DoctorReport: Encodable {
    let version = Release.version
    let configuration: String
    let user: String
    let verdict: String
    let findings: [Finding]
    let inOrder: [Diagnosis.Sight]
    let notSeen: [Diagnosis.Sight]

    init(_ diagnosis: Diagnosis, _ configuration: String, _ account: Account) {
        self.configuration = configuration
        user = account.name
        verdict =
            switch diagnosis.verdict {
            case nil: "well"
            case .warning: "warnings"
            case .fault: "faults"
            }
        (findings, inOrder, notSeen) = (diagnosis.findings, diagnosis.inOrder, diagnosis.notSeen)
    }
}

/// One look at everything, in the order in which a board is put together.
struct Examination {
    let config: String
    let profile: BoardProfile?
    private(set) var account = Account.own
    private let unit: ServiceUnit?
    private var diagnosis: Diagnosis

    init(config: String, user: String?, profile: BoardProfile?) {
        self.config = config
        self.profile = profile
        diagnosis = Diagnosis(of: config)
        let unit = ServiceUnit()
        self.unit = unit
        let isUnits = unit?.isThere == true && unit?.reads(config) == true
        guard let name = user ?? (isUnits ? unit?.user : nil) else { return }
        if let account = Account(named: name, supplementary: isUnits ? unit?.groups ?? [] : []) {
            self.account = account
        } else {
            diagnosis.find(.userMissing, "there is no user \(name)")
        }
    }

    mutating func run() -> Diagnosis {
        examineUnit()
        let configuration: Configuration? = read()
        if let configuration { examine(configuration) }
        if configuration == nil { DoctorClock(latest: nil).examine(&diagnosis) }
        if diagnosis.forbidden > 0 {
            diagnosis.find(.notAllSeen, "\(Account.own.name) could not look at \(diagnosis.forbidden) of these things")
        }
        return diagnosis
    }

    private mutating func examineUnit() {
        guard let unit else {
            return diagnosis.miss(.service, "no systemd runs here, so there is no unit")
        }
        ServiceUnit.examineHardwareWatchdog(&diagnosis)
        guard unit.isThere else { return diagnosis.find(.unitMissing, "systemd knows no \(ServiceUnit.name)") }
        guard unit.reads(config) else {
            return diagnosis.miss(.service, "\(ServiceUnit.name) reads another configuration than \(config)")
        }
        unit.examine(&diagnosis)
    }

    private mutating func read() -> Configuration? {
        do throws(ConfigurationError) {
            let configuration = try Configuration.load(path: config)
            let sides = configuration.sides.map { "\($0.number)" }.joined(separator: ", ")
            diagnosis.see(.configuration, "terminal \(configuration.terminal), position \(sides)")
            return configuration
        } catch {
            if error.isUnread {
                switch Reach(config) {
                case .absent: diagnosis.find(.configurationMissing, "there is no \(config)")
                case .forbidden: diagnosis.mayNotSee(.configuration, "this user may not read \(config)")
                case .open: diagnosis.find(.configurationWrong, "\(error)")
                }
            } else {
                diagnosis.find(.configurationWrong, "\(error)")
            }
            return nil
        }
    }

    private mutating func examine(_ configuration: Configuration) {
        if let refusal = account.refusal(.read, config) {
            diagnosis.find(
                .configurationForbidden,
                refusal,
                mend: "chgrp \(account.groupName) \(config) && chmod g+r \(config)"
            )
        }
        if configuration.demonstration {
            diagnosis.find(.demonstration, "\(config) has demonstration = true")
        }
        let status = DoctorInterface.status(configuration, config)
        let ownUnit = unit.flatMap { $0.isThere && $0.reads(config) ? $0 : nil }
        let answers = if case .success = status { true } else { false }
        let isServing = answers || ownUnit?.isActive == true || SQLiteJournal.isInUse(configuration.journal.path)
        examineVirtualEdges(configuration)
        var own = profile
        if own == nil {
            do throws(ServiceFailure) { own = try BoardProfile.ofThisBoard().map(BoardProfile.load) } catch {
                diagnosis.miss(.lines, error.reason)
            }
        }
        DoctorLines(configuration: configuration, account: account, isServing: isServing, profile: own)
            .examine(&diagnosis)
        DoctorReaders(configuration: configuration, account: account, isServing: isServing).examine(&diagnosis)
        let key = DoctorKeys(configuration: configuration, account: account, unit: ownUnit).examine(&diagnosis)
        let books = DoctorBooks(configuration: configuration, account: account, key: key)
        DoctorClock(latest: books.examine(&diagnosis)).examine(&diagnosis)
        let isFuelling = if case .success(let report) = status { report.isFuelling } else { false }
        DoctorDisk(configuration: configuration, account: account, isFuelling: isFuelling).examine(&diagnosis)
        DoctorInterface(
            configuration: configuration,
            path: config,
            account: account,
            isServing: isServing,
            unit: ownUnit
        ).examine(status, &diagnosis)
    }

    private mutating func examineVirtualEdges(_ configuration: Configuration) {
        for side in configuration.sides {
            var edges: [String] = []
            if case .virtual = side.card { edges.append("a virtual card") }
            if case .simulated = side.pump { edges.append("a simulated pump") }
            guard !edges.isEmpty else { continue }
            diagnosis.find(.edgesVirtual, "it has \(edges.joined(separator: " and "))", side: side.number)
        }
    }
}

extension StationReport {
    /// As far as the sides say.
    var isFuelling: Bool { sides.contains { $0.state == "fuelling" } }
}
