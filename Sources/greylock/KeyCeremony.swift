import CardCryptography
import Codes
import Console
import FuelPassbook
import ISO7816
import KeyCustody
import Quantities
import Threads

/// Custodians at the terminal, one after the other, who make a key together: each types the component of one sheet, none sees
/// another's, and all of them know the key by its check value.
struct KeyCeremony: ~Copyable {
    private let terminal: SilentTerminal
    private let kind: ComponentKind
    private let hasCheckDigits: Bool

    /// - Parameter patience: in seconds without a key typed, after which it is broken off: while it waits nobody else changes keys.
    init(_ kind: ComponentKind, hasCheckDigits: Bool, patience: Int) throws(ServiceFailure) {
        terminal = try SilentTerminal(for: "component", holding: HeldSignals(), patience: patience)
        self.kind = kind
        self.hasCheckDigits = hasCheckDigits
    }

    /// - Parameters:
    ///   - what: the key's name, as it stands on the sheets.
    ///   - now: by UTC, which the custodians see.
    ///   - sealWasBroken: told whose, before the ceremony ends for it.
    /// - Throws: ``ServiceFailure`` also when the components make no key that may be used, or a custodian does not confirm it.
    borrowing func key(
        _ what: String,
        at now: TransactionTime,
        custodians count: Int,
        sealWasBroken: (Custodian) -> Void = { _ in }
    ) throws(ServiceFailure) -> ConfirmedKey {
        terminal.say("\(what), from \(count) components.\nNothing is stored before all custodians confirm it.\n")
        terminal.say("By this machine's clock it is \(now) UTC.\n")
        do throws(ServiceFailure) { return try key(what, of: count, sealWasBroken) } catch {
            guard error.exitStatus != KeyTool.refused else { throw error }
            throw ServiceFailure(
                exitStatus: error.exitStatus,
                reason: "\(error.reason); nothing was stored: begin again, with all custodians and the same sheets"
            )
        }
    }

    private borrowing func key(
        _ what: String,
        of count: Int,
        _ sealWasBroken: (Custodian) -> Void
    ) throws(ServiceFailure) -> ConfirmedKey {
        var custodians: [Custodian] = []
        var components: [KeyComponent] = []
        for number in 1...count {
            terminal.say("\nCustodian \(number) of \(count), alone at the screen.\n\(what)\n")
            custodians.append(try custodian(after: custodians, sealWasBroken: sealWasBroken))
            components.append(try component())
        }
        let key: CombinedKey
        do throws(ComponentFault) { key = try CombinedKey(kind, of: components) } catch {
            throw KeyTool.refusal("\(error.words); nothing was stored", error.code)
        }
        terminal.say("\nCheck value of the whole key: \(Hex.pairs(key.checkValue()))\n")
        for custodian in custodians {
            guard try confirms("\(custodian.name): is it the one on your sheet, yes or no") else {
                throw ServiceFailure(
                    exitStatus: KeyTool.refused,
                    reason:
                        "\(custodian.name) did not confirm the key; nothing was stored: begin again with the right sheets"
                )
            }
        }
        return ConfirmedKey(key, of: custodians)
    }

    private borrowing func custodian(
        after others: [Custodian],
        sealWasBroken: (Custodian) -> Void
    ) throws(ServiceFailure) -> Custodian {
        let name = try terminal.askOpenly(
            "your name",
            rule: "a name has 1 to \(Custodian.nameMax) characters, and is no other custodian's"
        ) { text in
            Custodian.name(text).flatMap { name in
                others.contains { Custodian.areSame($0.name, name) } ? nil : name
            }
        }
        let custodian = try terminal.askOpenly(
            "your envelope's number",
            rule:
                "a number has 1 to \(Custodian.envelopeMax) letters, digits and dashes, no blanks, and is no other envelope's"
        ) { text in
            Custodian(name: name, envelope: text).flatMap { custodian in
                others.contains { $0.envelope.uppercased() == custodian.envelope.uppercased() } ? nil : custodian
            }
        }
        guard try confirms("was its seal unbroken, yes or no") else {
            sealWasBroken(custodian)
            throw ServiceFailure(
                exitStatus: KeyTool.refused,
                reason: """
                    the seal of envelope \(custodian.envelope) was broken; nothing was stored: destroy all sheets of this key, and \
                    make it anew with greylock keys generate
                    """
            )
        }
        return custodian
    }

    /// Whether one component, typed once, is what its sheet says.
    borrowing func isRight() throws(ServiceFailure) -> (checkValue: [UInt8], isRight: Bool) {
        let component = try typed()
        return (component.checkValue(kind), try isOnSheet(component.checkValue(kind)))
    }

    /// Typed until its own check value is that of the sheet.
    private borrowing func component() throws(ServiceFailure) -> KeyComponent {
        while true {
            let component = try typed()
            if try isOnSheet(component.checkValue(kind)) { return component }
            terminal.say("the component makes another check value: type it again from your sheet\n")
        }
    }

    private borrowing func isOnSheet(_ checkValue: [UInt8]) throws(ServiceFailure) -> Bool {
        let digits = 2 * checkValue.count
        return try terminal.ask(
            "check value of your component, \(digits) digits",
            .text(bytesMax: 2 * digits),
            rule: "a check value has \(digits) digits, 0 to 9 and A to F"
        ) { line in KeyTool.isEqual(line, checkValue, digits: digits) }
    }

    private borrowing func typed() throws(ServiceFailure) -> KeyComponent {
        var entry = ComponentEntry(kind, hasCheckDigits: hasCheckDigits)
        var escapes = EscapeSequences()
        let group = hasCheckDigits ? "four digits and their check digit" : "four digits"
        terminal.discardInput()
        terminal.say("your component, \(kind.groups) groups of \(group):\n")
        showProgress(entry)
        while !entry.isComplete {
            switch escapes.take(try terminal.key()) {
            case .none: continue
            case .delete, .byte(0x08), .byte(0x7F): entry.removeLast()
            case .byte(0x03), .byte(0x04), .byte(0x1C): throw terminal.cancelled()
            case .byte(0x0A), .byte(0x0D):
                let missing = kind.groups - entry.groupsDone
                terminal.say("\n\(missing) \(missing == 1 ? "group is" : "groups are") still to come\n")
                showProgress(entry)
            case .byte(0x00..<0x20): continue
            case .byte(let character): take(character, &entry)
            }
        }
        terminal.say("\n")
        guard let component = entry.component() else { preconditionFailure("all groups are there") }
        return component
    }

    private borrowing func take(_ character: UInt8, _ entry: inout ComponentEntry) {
        switch entry.take(character) {
        case .taken, .tooMany: break
        case .group: showProgress(entry)
        case .wrongGroup(let number):
            terminal.say("\ngroup \(number) is wrong: press backspace five times, and type it again\n")
            showProgress(entry)
        case .noDigit:
            terminal.say("\nonly 0 to 9 and A to F, blanks and dashes\n")
            showProgress(entry)
        }
    }

    private borrowing func showProgress(_ entry: borrowing ComponentEntry) {
        terminal.say("\r  \(entry.groupsDone) of \(kind.groups) groups \(hasCheckDigits ? "right" : "typed")")
    }

    private borrowing func confirms(_ question: String) throws(ServiceFailure) -> Bool {
        try terminal.askOpenly(question, rule: "type yes or no") { answer in
            switch answer.lowercased() {
            case "yes": true
            case "no": false
            case _: nil
            }
        }
    }
}

extension ComponentFault {
    fileprivate var words: String {
        switch self {
        case .count: "a key is made of two or three components"
        case .zero(let place): "component \(place) is zero, and protects nothing"
        case .equal(let one, let other): "components \(one) and \(other) are the same"
        case .weakness(.equalHalves): "the halves of the key are the same"
        case .weakness(.weak): "the key is one of the weak keys of its cipher"
        case .weakness(.published): "the key is a published one"
        }
    }
}
