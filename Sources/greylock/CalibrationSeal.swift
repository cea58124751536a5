import Configuration
import Files
import FuelPassbook
import ISO7816
import Journal
import Metering
import ParameterFiles
import Parameters
import Proving
import Quantities
import Records
import Station
import Threads

/// Puts the confirmed points into the book of parameters, as the side's next set.
struct CalibrationSeal {
    let configuration: Configuration
    let arms: Arms
    let standing: StandingSide

    /// Where the power went between the book and the session, the set is there already, and others may stand behind it.
    func apply(_ confirmed: Confirmed) throws(ServiceFailure) -> SealedSet {
        let judged = confirmed.proposed.judged
        let assignment = judged.running.equipped.assignment
        let points = confirmed.proposed.proposal.points
        let place = ParameterFile(configuration.parameters.path)
        let lock = try KeyTool.stored { () throws(FileFault) in try place.lock() }
        guard var book = try ParameterTool.read(place.path), let last = book.newest(of: assignment.side) else {
            throw refused("the book of parameters is gone")
        }
        func isOld(_ set: ParameterSet) -> Bool {
            set.version == assignment.old.version && set.checksum == assignment.old.checksum.text
        }
        if let added = book.sets(of: assignment.side).first(where: { book.set(before: $0).map(isOld) == true }),
            let before = book.set(before: added), added.meter == before.meter.with(points)
        {
            return try added == last ? sealed(added) : proven(added)
        }
        guard isOld(last) else {
            throw refused(
                "version \(last.version) was put under seal since the calibration began: begin another with another --session"
            )
        }
        let meter = last.meter.with(points)
        let added: ParameterSet
        do throws(ParameterProblem) {
            let change = try ParameterChange(
                author: assignment.technician.text,
                second: confirmed.second.text,
                reason: "calibration of \(assignment.begun)",
                date: TransactionTime(utc: now())
            )
            added = try book.add(
                meter,
                of: assignment.side,
                on: standing.board,
                by: change,
                under: arms.parameterKey
            )
        } catch {
            throw refused(error.words)
        }
        try KeyTool.stored { () throws(FileFault) in try place.replace(with: book) }
        _ = consume lock
        return try sealed(added)
    }

    private func now() throws(ParameterProblem) -> Int64 {
        do throws(ServiceFailure) { return try KeyTool.now() } catch { throw ParameterProblem(error.reason) }
    }

    /// The journal knows the set when this returns: from then on the book from before is an older one.
    private func sealed(_ set: ParameterSet) throws(ServiceFailure) -> SealedSet {
        do throws(StorageFault) { try standing.journal.note(ParameterMark(set)) } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(configuration.journal.path): \(error)"
            )
        }
        return try proven(set)
    }

    private func proven(_ set: ParameterSet) throws(ServiceFailure) -> SealedSet {
        do throws(ProvingFault) {
            return try SealedSet(set.meter, version: set.version, checksum: TypedText(set.checksum, "the checksum"))
        } catch {
            throw refused(error.reason)
        }
    }

    private func refused(_ words: String) -> ServiceFailure {
        ServiceFailure(exitStatus: KeyTool.refused, reason: "\(words); nothing was applied")
    }
}

extension MeterParameters {
    /// All else as it is.
    fileprivate func with(_ points: [CalibrationPoint]) -> MeterParameters {
        var meter = self
        meter.points = points
        return meter
    }
}
