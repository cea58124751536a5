import Configuration
import Files
import Glibc
import Keypad
import PCSC

/// The card readers and keypads of a configuration; no card is touched and no keypad taken.
struct DoctorReaders {
    private static let secondsMax: UInt64 = 5
    private static let policy = "/usr/share/polkit-1/actions/org.debian.pcsc-lite.policy"
    private static let ruleFolders = [
        "/etc/polkit-1/rules.d", "/run/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d",
        "/usr/share/polkit-1/rules.d",
    ]
    private static let ruleBytesMax = 65_536

    let configuration: Configuration
    let account: Account
    let isServing: Bool

    func examine(_ diagnosis: inout Diagnosis) {
        let settings: [(side: Int, of: ReaderSurvey.Setting)] = configuration.sides.compactMap { side in
            guard case .pcsc(let reader, let port) = side.card else { return nil }
            return (side.number, ReaderSurvey.Setting(reader: reader, port: port))
        }
        if !settings.isEmpty {
            examineRule(&diagnosis)
            let looked = DoctorPatience.await(seconds: Self.secondsMax) {
                () -> Result<ReaderSurvey, ReaderSurvey.Fault> in
                do throws(ReaderSurvey.Fault) { return .success(try ReaderSurvey(for: settings.map(\.of))) } catch {
                    return .failure(error)
                }
            }
            switch looked {
            case nil: diagnosis.find(.pcscdSilent, "pcscd did not answer within \(Self.secondsMax) s")
            case .failure(.noService): diagnosis.find(.pcscdStopped, "nobody listens at pcscd's socket")
            case .failure(.notPermitted): noteForbidden(&diagnosis)
            case .failure(.failed(let reason)): diagnosis.find(.pcscdSilent, reason)
            case .success(let survey):
                for (side, setting) in settings {
                    let others = settings.filter { $0.side != side }.map(\.of)
                    examine(setting, survey.choice(of: setting, besides: others), survey, side, &diagnosis)
                }
            }
        }
        for side in configuration.sides {
            if case .keypad(let path) = side.pin { examineKeypad(path, side.number, &diagnosis) }
        }
    }

    /// That root may is no sign that the service may.
    private func noteForbidden(_ diagnosis: inout Diagnosis) {
        let own = Account.own
        guard own.user == account.user else {
            return diagnosis.mayNotSee(
                .reader,
                "\(own.name) may not use card readers, and \(account.name) is the service's user"
            )
        }
        diagnosis.find(.readerForbidden, "pcscd refuses \(own.name)")
    }

    private func examine(
        _ setting: ReaderSurvey.Setting,
        _ choice: ReaderSurvey.Choice,
        _ survey: ReaderSurvey,
        _ side: Int,
        _ diagnosis: inout Diagnosis
    ) {
        func list(_ readers: [ReaderSurvey.Reader]) -> String {
            readers.map(\.words).joined(separator: ", ")
        }
        switch choice {
        case .none:
            let wanted =
                (setting.reader.map { "no reader \"\($0)\"" } ?? "no reader")
                + (setting.port.map { " at USB port \($0)" } ?? "")
            let held = survey.readers.filter { $0.port == .inUse }
            if let port = setting.port, isServing, !held.isEmpty {
                let why = "no reader that is in use can be asked for its USB port, as \(list(held))"
                return diagnosis.miss(.reader, "position \(side): whether its reader is at \(port); \(why)")
            }
            let places = setting.port == nil ? nil : survey.places
            let there = survey.readers.isEmpty ? "none is there" : "there are \(places ?? list(survey.readers))"
            diagnosis.find(.readerMissing, "\(wanted): \(there)", side: side)
        case .alike(let readers): diagnosis.find(.readersAlike, list(readers), side: side)
        case .several(let readers):
            diagnosis.find(
                .readerAmbiguous,
                "\(Self.meaning(setting)) \(list(readers))",
                side: side,
                mend: "write the whole name of one: [side.\(side).card] reader = \"\(readers[0].name)\""
            )
        case .one(let reader):
            if reader.isUnavailable { return diagnosis.find(.readerBroken, "\"\(reader.name)\"", side: side) }
            if reader.isMute {
                diagnosis.find(.cardMute, "in \"\(reader.name)\"", side: side)
            } else if reader.isInUse, !isServing {
                diagnosis.find(.readerInUse, "\"\(reader.name)\"", side: side)
            } else {
                let card = reader.isMute || !reader.isCardPresent ? "no card in it" : "a card in it"
                let user = reader.isInUse ? ", which the service uses" : ""
                diagnosis.see(.reader, "position \(side): \(reader.words), \(card)\(user)")
            }
        }
    }

    private static func meaning(_ setting: ReaderSurvey.Setting) -> String {
        if let reader = setting.reader { return "\"\(reader)\" means" }
        return setting.port == nil ? "nothing is set, and there are" : "reader is not set, and there are"
    }

    // MARK: - polkit

    /// pcscd asks polkit where its package has the actions.
    private func examineRule(_ diagnosis: inout Diagnosis) {
        guard account.user != 0, unsafe access(Self.policy, F_OK) == 0 else { return }
        var unread: [String] = []
        for folder in Self.ruleFolders where unsafe access(folder, F_OK) == 0 {
            guard unsafe access(folder, R_OK | X_OK) == 0 else {
                unread.append(folder)
                continue
            }
            for name in Folder.names(in: folder) where name.hasSuffix(".rules") && lets("\(folder)/\(name)") {
                return diagnosis.see(.reader, "\(folder)/\(name) lets \(account.name) use card readers")
            }
        }
        guard unread.isEmpty else {
            return diagnosis.mayNotSee(.reader, "this user may not read \(unread.joined(separator: ", "))")
        }
        diagnosis.find(
            .polkitRuleMissing,
            "no file in \(Self.ruleFolders[0]) or \(Self.ruleFolders[3]) names \(account.name) and access_pcsc"
        )
    }

    private func lets(_ path: String) -> Bool {
        guard let text = wholeText(path, bytesMax: Self.ruleBytesMax) else { return false }
        return text.contains("org.debian.pcsc-lite.access_pcsc") && text.contains("\"\(account.name)\"")
    }

    // MARK: - Keypads

    private func examineKeypad(_ path: String, _ side: Int, _ diagnosis: inout Diagnosis) {
        let survey: KeypadSurvey
        do throws(KeypadFault) { survey = try KeypadSurvey(path) } catch {
            let code: FindingCode =
                switch error {
                case .notInput, .noDigits: .keypadUnfit
                case .missing, .unplugged, .notPermitted, .held, .system: .keypadMissing
                }
            return diagnosis.find(code, "\(error)", side: side)
        }
        if let refusal = account.refusal(.read, path) { diagnosis.find(.keypadForbidden, refusal, side: side) }
        let strangers = survey.holders.filter { !(isServing && $0.hasPrefix("greylockd ")) }
        guard strangers.isEmpty else {
            return diagnosis.find(.keypadHeld, "\(path): \(strangers.joined(separator: ", "))", side: side)
        }
        guard let name = survey.name else { return diagnosis.mayNotSee(.keypad, "this user may not read \(path)") }
        diagnosis.see(.keypad, "position \(side): \(name), \(path)")
    }
}
