import Configuration
import ISO7816
import Journal
import Metering
import Parameters
import Proving
import Quantities
import Records
import Station
import Threads

/// A session from where it stands to its end; each step is on disk before the next.
struct CalibrationDialogue {
    let file: CalibrationFile
    let voice: any CalibrationVoice
    let standing: StandingSide
    let setup: CalibrationSetup
    let runs: CalibrationRuns
    let seal: CalibrationSeal

    func run(_ purpose: Assignment.Purpose) throws(ServiceFailure) -> CalibrationSession {
        var session: CalibrationSession
        let found = try file.read()
        if let found {
            session = found
            try requireSame(found, purpose)
            if session.isOver { throw ended(session) }
            voice.say(
                "This session began at \(found.assignment.begun), by \(found.assignment.technician.text). \(found.stands)"
            )
        } else {
            session = .begun(try setup.assignment(purpose, standing, try now()))
            try file.write(session)
        }
        while !session.isOver {
            if found != nil, case .running(let running) = session {
                session = .running(try withWhatOnlyTheJournalHas(running))
                try file.write(session)
            }
            guard let next = try step(session) else { return session }
            session = next
            try file.write(session)
        }
        voice.say(session.stands)
        return session
    }

    /// - Returns: nil where it stays as it is.
    private func step(_ session: CalibrationSession) throws(ServiceFailure) -> CalibrationSession? {
        switch session {
        case .begun(let assignment): return .equipped(try setup.equipped(assignment))
        case .equipped(let equipped): return .running(equipped.starting(try setup.conditions()))
        case .running(let running):
            if let judged = try runs.run(running) { return .judged(judged) }
            return try abandon(session: try file.read() ?? session)
        case .judged(let judged): return try propose(judged)
        case .proposed(let proposed): return try confirm(proposed)
        case .confirmed(let confirmed):
            let now = try now()
            let set = try seal.apply(confirmed)
            do throws(ProvingFault) { return .applied(try confirmed.applied(set, at: now)) } catch {
                throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
            }
        case .applied, .abandoned: return nil
        }
    }

    /// A file of this session can be put back as it was before a run that somebody does not like; the journal cannot.
    private func withWhatOnlyTheJournalHas(_ running: Running) throws(ServiceFailure) -> Running {
        let begun = running.equipped.assignment.begun
        let last = running.lastRecord.map { RecordNumber(UInt32(clamping: $0)) }
        var next = running
        do {
            for record in try standing.journal.tests(of: standing.side.nozzle, after: last ?? RecordNumber(0))
            where last != nil || record.begun >= begun {
                next = try next.beginning(
                    SpoiltDelivery(foundInJournal: UInt64(record.number.value), begun: record.begun)
                )
                voice.say(
                    "Only the journal has record \(record.number.value) of \(record.begun): the report will name it."
                )
            }
            return next
        } catch let fault as StorageFault {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "the journal: \(fault)")
        } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.calibrationWords)
        }
    }

    /// - Parameter person: who does not want it; nil for the technician.
    private func abandon(
        session: CalibrationSession,
        by person: TypedText? = nil
    ) throws(ServiceFailure) -> CalibrationSession {
        let reason = try voice.ask("abandon", "why it is given up", usual: nil) {
            text throws(CalibrationRefusal) in
            try CalibrationText.text(text, "the reason")
        }
        return try ended(session, reason.text, by: person)
    }

    private func ended(
        _ session: CalibrationSession,
        _ words: String,
        by person: TypedText? = nil
    ) throws(ServiceFailure) -> CalibrationSession {
        let now = try now()
        do throws(ProvingFault) {
            let reason = try TypedText(words, "the reason")
            return try session.abandoned(reason: reason, person: person ?? session.assignment.technician, at: now)
        } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
        }
    }

    private func propose(_ judged: Judged) throws(ServiceFailure) -> CalibrationSession {
        let proposal: Proposal
        do throws(ProvingFault) { proposal = try judged.proposal() } catch {
            voice.say("No new factors: \(error.reason).")
            return try abandon(session: .judged(judged))
        }
        voice.say("\nL/min     factor before   factor after   error before   error left")
        for line in proposal.lines {
            voice.say(
                "\("\(line.litresPerMinute)".padded(9)) \(line.before.millionths)        \(line.after.millionths)       \(line.error.percent) %       \(line.rest.percent) %"
            )
        }
        if proposal.points == judged.running.equipped.assignment.old.points {
            return try ended(.judged(judged), "these factors are in force already")
        }
        guard try voice.confirms("apply", "shall these factors be applied") else {
            return try abandon(session: .judged(judged))
        }
        var overrides: [Override] = []
        let person = judged.running.equipped.assignment.technician
        for refusal in proposal.refusals {
            if let override = try setup.override(refusal, person) { overrides.append(override) }
        }
        do { return .proposed(try judged.proposed(overrides: overrides)) } catch {
            voice.say("Not proposed: \(error.calibrationWords).")
            return try abandon(session: .judged(judged))
        }
    }

    private func confirm(_ proposed: Proposed) throws(ServiceFailure) -> CalibrationSession {
        voice.say("\nA second person looks at readings, errors and factors.")
        for line in proposed.judged.running.readings { voice.say(line) }
        voice.say(proposed.judged.words + "\n")
        for line in proposed.proposal.lines {
            voice.say("  \(line.litresPerMinute) L/min: \(line.before.millionths) becomes \(line.after.millionths)")
        }
        let asked = try now()
        let second = try voice.ask("second", "name of the second person", usual: nil, isFresh: true) {
            text throws(CalibrationRefusal) in
            let name = try CalibrationText.person(text)
            return try typed { () throws(ProvingFault) in try proposed.confirmed(by: name, at: asked) }.second
        }
        guard try voice.confirms("confirmed", "\(second.text): do you confirm these factors") else {
            return try abandon(session: .proposed(proposed), by: second)
        }
        let now = try now()
        do throws(ProvingFault) { return .confirmed(try proposed.confirmed(by: second, at: now)) } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: error.reason)
        }
    }

    /// When a step is taken: never before a delivery, which is what an inspector would read.
    private func now() throws(ServiceFailure) -> TransactionTime {
        func failure(_ reason: String) -> ServiceFailure {
            ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: reason)
        }
        guard let now = SystemClock().now else { throw failure("the clock is not set: set it first") }
        let last: StationTime?
        do throws(StorageFault) { last = try standing.journal.latestTime() } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: "the journal: \(error)")
        }
        if let last, now.isBefore(last) {
            throw failure(
                "the clock (\(now)) is behind the last record (\(last)): set it, or if it is right, greylock position --accept-clock"
            )
        }
        return now.local
    }

    private func requireSame(_ found: CalibrationSession, _ purpose: Assignment.Purpose) throws(ServiceFailure) {
        let begun = found.assignment
        func refused(_ words: String) -> ServiceFailure {
            ServiceFailure(exitStatus: KeyTool.refused, reason: "\(file.path): \(words)")
        }
        if found.isOver { return }
        guard begun.purpose == purpose else {
            throw refused(
                begun.purpose == .verify
                    ? "a verification: go on with --verify-only" : "a calibration: go on without --verify-only"
            )
        }
        guard begun.side == standing.side.number, begun.board.text == "\(standing.board)" else {
            throw refused("it is of position \(begun.side) of board \(begun.board.text): name another --session")
        }
        if case .confirmed = found { return }
        guard begun.old.version == standing.set.version, begun.old.checksum.text == standing.set.checksum else {
            throw refused(
                "the parameters were changed since it began (version \(begun.old.version) then, \(standing.set.version) now): begin another with another --session"
            )
        }
        switch found {
        case .begun, .equipped, .running: break
        case .judged, .proposed, .confirmed, .applied, .abandoned: return
        }
        let program = try setup.core { () throws(ProvingFault) in try standing.program.software() }
        guard begun.software == program else {
            throw refused(
                "it was begun by another program (\(begun.software.version.text), SHA-256 \(begun.software.sha256.text.prefix(8))...), and a report names one that measured: go on with that one, or begin another with another --session"
            )
        }
    }

    private func ended(_ session: CalibrationSession) -> ServiceFailure {
        ServiceFailure(
            exitStatus: KeyTool.refused,
            reason:
                "\(file.path): this session is over. \(session.stands) Begin another with another --session, or see greylock calibrate report"
        )
    }
}

extension CalibrationSession {
    private static func count(_ number: Int, _ one: String, _ several: String) -> String {
        "\(number) \(number == 1 ? one : several)"
    }

    /// In one sentence.
    var stands: String {
        switch self {
        case .begun: "Next: the provers."
        case .equipped: "Next: the conditions."
        case .running(let running):
            "\(Self.count(running.runs.count, "run is", "runs are")) kept"
                + (running.spoilt.isEmpty
                    ? ""
                    : ", and \(Self.count(running.spoilt.count, "delivery", "deliveries")) without a reading")
                + ". Next: " + (running.nextPoint == nil ? "whether they stand." : "the runs that are missing.")
        case .judged(let judged):
            isOver
                ? "The verification \(judged.verdict.isPassed ? "passed" : "did not pass"); nothing was changed."
                : "All runs are kept. Next: the factors."
        case .proposed: "The factors are proposed. Next: the second person."
        case .confirmed: "The factors are confirmed. Next: they are put under seal."
        case .applied(let applied):
            "The factors are under seal as version \(applied.new.version) (\(applied.new.checksum.text))."
        case .abandoned(_, let end): "Given up by \(end.person.text): \(end.reason.text). The old factors stay."
        }
    }
}

extension Int {
    fileprivate var millionths: String {
        "\(self / 1_000_000)." + String("\(1_000_000 + self % 1_000_000)".dropFirst())
    }
}
