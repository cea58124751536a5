package import Configuration
import Files
package import FuelPassbook
package import KeyCustody
package import KeyFiles
import Quantities
import Tokens

/// All keys of a terminal destroyed at once: the housing was opened, or somebody asked for it. Records stay: they keep amounts, and
/// the issuer releases their cards.
package struct Erasure {
    private let settings: Configuration.KeySettings
    private let terminal: TerminalID

    package init(of settings: Configuration.KeySettings, _ terminal: TerminalID) {
        self.settings = settings
        self.terminal = terminal
    }

    /// What became of it.
    package struct Report {
        /// Seconds of UTC since 1970; nil where the clock was never set.
        package let time: Int64?
        package let facts: [AuditFact]
        package let results: [KeyErasure.Result]

        package var isComplete: Bool { !results.contains { $0.isLeft } }
    }

    /// Goes on past what cannot be destroyed. The one way by which all keys of a terminal end.
    ///
    /// - Parameters:
    ///   - facts: why, and who asked for it.
    ///   - begins: called before each place.
    ///   - say: takes a line for each thing that was destroyed, or is left.
    package func run(_ facts: [AuditFact], begins: () -> Void = {}, say: (String) -> Void) -> Report {
        let results = settings.erasure(of: terminal).run { _ in begins() }
        let report = Report(time: SystemClock().now?.utcSeconds, facts: facts, results: results)
        for result in results { say(line(result)) }
        note(report, say)
        say("a flash disk may keep copies of what was overwritten: destroy the board, or keep it under lock and key")
        return report
    }

    /// A word that the keys are gone needs no code, and there is no key to make one.
    private func note(_ report: Report, _ say: (String) -> Void) {
        let left = report.results.filter(\.isLeft).map { words($0.place) }
        do throws(FileFault) {
            try AuditLogFile(of: settings.store, terminal).noteErasure(report.facts, left: left, at: report.time ?? 0)
        } catch {
            say("not in the audit log: \(error.reason)")
        }
    }

    private func line(_ result: KeyErasure.Result) -> String {
        switch result.outcome {
        case .destroyed: "destroyed: \(words(result.place)) of terminal \(terminal)"
        case .absent: "not there: \(words(result.place))"
        case .left(let reason): "NOT DESTROYED: \(words(result.place)): \(reason)"
        }
    }

    private func words(_ place: KeyErasure.Place) -> String {
        switch place {
        case .boardMemory: "the storage key's half in \(settings.memory?.path ?? "the board's memory")"
        case .storageKey: "the storage key"
        case .tokenObjects: "the keys in the token"
        case .store: "the key store \(settings.store)"
        }
    }
}

extension Configuration.KeySettings {
    fileprivate func erasure(of terminal: TerminalID) -> KeyErasure {
        guard let place = token else {
            return KeyErasure(store: store, storageKey: storageKey, credentialFile: credentialFile, memory: memory)
        }
        return KeyErasure(store: store, storageKey: storageKey, credentialFile: credentialFile, memory: memory) {
            do throws(TokenFault) {
                return try Token(place).destroyAll(of: "\(terminal)") ? .destroyed : .absent
            } catch {
                return .left(error.reason)
            }
        }
    }
}
