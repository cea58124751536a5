package import CardCryptography
package import Quantities

/// The report of a calibration or verification: one value, written as HTML for people or as JSON for programs.
package struct Report: Equatable, Sendable {
    package let session: CalibrationSession
    let running: Running
    /// nil while a point has too few runs.
    package let verdict: Verdict?
    /// When it was written.
    package let made: TransactionTime
    /// The program that writes it; the one that measured stands in the session.
    package let software: MeasuringProgram
    /// Which record key its code is under, as the terminal names it.
    package let keyName: TypedText

    /// - Throws: ``ProvingFault`` for a session without deliveries.
    package init(
        of session: CalibrationSession,
        made: TransactionTime,
        software: MeasuringProgram,
        keyName: TypedText
    ) throws(ProvingFault) {
        guard let running = session.running, !(running.runs.isEmpty && running.spoilt.isEmpty) else {
            throw ProvingFault("this session has no deliveries yet, so there is nothing to report")
        }
        self.session = session
        self.running = running
        do throws(ProvingFault) { verdict = try running.judged().verdict } catch { verdict = nil }
        self.made = made
        self.software = software
        self.keyName = keyName
    }

    var assignment: Assignment { session.assignment }

    /// What the runs come to, once somebody has said that they stand; nil before.
    var isPassed: Bool? {
        switch session {
        case .begun, .equipped, .running, .abandoned(.running, _): nil
        case .judged, .proposed, .confirmed, .applied, .abandoned: verdict?.isPassed
        }
    }

    /// Where an override stands: with a run, by its number from 1, or with the whole.
    var overrides: [(run: Int?, override: Override)] {
        let whole = running.equipped.overrides.map { (run: Int?.none, override: $0) }
        let runs = running.runs.enumerated().flatMap { index, run in
            run.overrides.map { (run: Int?.some(index + 1), override: $0) }
        }
        return whole + runs + (session.proposed?.overrides ?? []).map { (run: nil, override: $0) }
    }

    /// The set that is sealed after it; nil when none was applied.
    var applied: Applied? {
        switch session {
        case .applied(let applied): applied
        case .begun, .equipped, .running, .judged, .proposed, .confirmed, .abandoned: nil
        }
    }

    /// The second person; nil when nobody confirmed.
    var second: TypedText? {
        switch session {
        case .confirmed(let confirmed): confirmed.second
        case .applied(let applied): applied.confirmed.second
        case .abandoned(.confirmed(let confirmed), _): confirmed.second
        case .begun, .equipped, .running, .judged, .proposed, .abandoned: nil
        }
    }

    var abandonment: Abandonment? {
        switch session {
        case .abandoned(_, let end): end
        case .begun, .equipped, .running, .judged, .proposed, .confirmed, .applied: nil
        }
    }

    /// One file without scripts and without anything from outside; UTF-8.
    package func html(under key: borrowing CodeKey) -> String {
        ReportCode.html.sealed(ReportPage(report: self).text, under: key)
    }

    /// As ``schema`` describes it.
    package func json(under key: borrowing CodeKey) -> String {
        ReportCode.json.sealed(value.text, under: key)
    }
}
