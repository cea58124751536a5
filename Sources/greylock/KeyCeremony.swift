import CardCryptography
import Console
import FuelPassbook
import ISO7816
import KeyCustody
import Threads

/// Custodians at the terminal, one after the other, who make a key together: each types the component of one sheet, none sees
/// another's, and all of them know the key by its check value.
struct KeyCeremony: ~Copyable {
    private let terminal: SilentTerminal
    private let kind: ComponentKind
    private let hasCheckDigits: Bool

    init(_ kind: ComponentKind, hasCheckDigits: Bool) throws(ServiceFailure) {
        terminal = try SilentTerminal(for: "component")
        self.kind = kind
        self.hasCheckDigits = hasCheckDigits
    }

    /// - Parameter what: the key's name, as it stands on the sheets.
    /// - Throws: ``ServiceFailure`` also when the components make no key that may be used, or a custodian does not confirm it.
    borrowing func key(_ what: String, custodians: Int) throws(ServiceFailure) -> CombinedKey {
        terminal.say("\(what), from \(custodians) components. Nothing is stored before all custodians confirm it.\n")
        var components: [KeyComponent] = []
        for custodian in 1...custodians {
            terminal.say("\nCustodian \(custodian) of \(custodians), alone at the screen.\n")
            components.append(try component())
        }
        let key: CombinedKey
        do throws(ComponentFault) { key = try CombinedKey(kind, of: components) } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(error.words); nothing was stored")
        }
        terminal.say("\nCheck value of the whole key: \(KeyTool.grouped(key.checkValue()))\n")
        for custodian in 1...custodians {
            guard try confirms("custodian \(custodian): is it the one on your sheet, yes or no") else {
                throw ServiceFailure(
                    exitStatus: KeyTool.refused,
                    reason:
                        "custodian \(custodian) did not confirm the key; nothing was stored: begin again with the right sheets"
                )
            }
        }
        return key
    }

    /// Typed until its own check value is that of the sheet.
    private borrowing func component() throws(ServiceFailure) -> KeyComponent {
        while true {
            let component = try typed()
            let checkValue = component.checkValue(kind)
            let digits = 2 * checkValue.count
            let isOnSheet = try terminal.ask(
                "check value of your component, \(digits) digits",
                .text(bytesMax: 2 * digits),
                rule: "a check value has \(digits) digits, 0 to 9 and A to F"
            ) { line in KeyTool.isEqual(line, checkValue, digits: digits) }
            if isOnSheet { return component }
            terminal.say("the component makes another check value: type it again from your sheet\n")
        }
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
            terminal.say("\ngroup \(number) is wrong: type it again\n")
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
        try terminal.ask(question, .text(bytesMax: 8), rule: "type yes or no") { line in
            switch line.bytes.withSpan({ span in String(decoding: (0..<line.count).map { span[$0] }, as: UTF8.self) }) {
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
