package import CardCryptography
package import FuelPassbook
private import ISO7816
package import Quantities

/// The terminal's record key: from it are drawn the seals of GMACs, the codes of a journal's rows and the seal of a journal's
/// state; elsewhere the codes of the audit log, of receipts, of parameter sets and of calibrations. It is no key of the cards, so that whatever becomes of those, records stay what they are.
///
/// 16 bytes in locked memory, made once by whoever assembles the terminal and lent to module and journal.
package final class RecordKey: Sendable {
    /// What a journal calls it.
    package let reference: KeyReference
    private let root: DoubleLengthKey
    private let journals: CodeKey
    private let totals: CodeKey
    private let legacy: LegacySeal

    /// Takes the 16 bytes of the key; the buffer is wiped.
    package init(_ raw: consuming LockedBuffer, as reference: KeyReference) {
        self.reference = reference
        root = DoubleLengthKey(raw)
        journals = CodeKey(from: root, label: "GL-JRNL")
        totals = CodeKey(from: root, label: "GL-TOTL")
        legacy = LegacySeal(root)
    }

    /// What the codes of parameter sets are made with.
    package func parameterKey() -> CodeKey { CodeKey(from: root, label: "GL-PARM") }

    /// What the codes of calibrations and their reports are made with.
    package func provingKey() -> CodeKey { CodeKey(from: root, label: "GL-PROV") }

    package func seal(of terminal: TerminalID) -> TerminalSeal { TerminalSeal(root, terminal) }

    /// nil when the seal is not the one that its terminal made.
    ///
    /// - Parameter own: the seal of the terminal that is used most.
    package func open(_ gmac: SealedGMAC, own: TerminalSeal) -> MAC? {
        let seal = gmac.terminal == own.terminal ? own : seal(of: gmac.terminal)
        guard let plain = seal.open(gmac) ?? legacy.open(gmac), plain.count == MAC.length else { return nil }
        return MAC(bytes: plain)
    }

    /// Of what a terminal keeps of its totals outside the journal.
    package func code(ofTotals bytes: [UInt8], of terminal: TerminalID) -> [UInt8] {
        totals.code(of: terminal.bytes + bytes).bytes
    }

    package func isRight(_ code: [UInt8], ofTotals bytes: [UInt8], of terminal: TerminalID) -> Bool {
        totals.code(of: terminal.bytes + bytes).isValid(code)
    }

    /// The keys of the journal with that identity.
    package func journalKey(
        identity: [UInt8],
        random: any RandomSource & Sendable = SystemRandom()
    ) -> JournalKey {
        JournalKey(journals, reference: reference, identity: identity, random: random)
    }
}

/// The sealing key of one terminal. Its nonces are drawn at random, so no two terminals may share one.
package final class TerminalSeal: Sendable {
    package let terminal: TerminalID
    private let key: SealingKey

    /// The factor is no card's: `4C` is no two BCD digits, and neither is its complement `B3`.
    fileprivate init(_ root: borrowing DoubleLengthKey, _ terminal: TerminalID) {
        self.terminal = terminal
        key = SealingKey(from: root.child(of: Array("TL".utf8) + terminal.bytes), label: "GL-GMAC")
    }

    /// Of grey records on their way to another terminal, under what all terminals of a scheme share. A sealed GMAC of a journal
    /// does not open with it, nor one on its way with a journal's.
    package init(onTheWay travel: borrowing DoubleLengthKey, of terminal: TerminalID) {
        self.terminal = terminal
        key = SealingKey(from: travel.child(of: Array("TL".utf8) + terminal.bytes), label: "GL-WAYS")
    }

    /// The same GMAC under this seal.
    package func seal(_ mac: MAC, as gmac: SealedGMAC, random: any RandomSource) -> SealedGMAC {
        seal(
            mac,
            card: gmac.card,
            ttc: gmac.ttc,
            ctc: gmac.ctc,
            amount: gmac.amount,
            key: gmac.key,
            random: random
        )
    }

    /// nil when the seal is another's.
    package func mac(in gmac: SealedGMAC) -> MAC? {
        guard gmac.terminal == terminal, let plain = open(gmac), plain.count == MAC.length else { return nil }
        return MAC(bytes: plain)
    }

    /// The GMAC of a lock by this terminal.
    package func seal(
        _ gmac: MAC,
        card: ApplicationSerialNumber,
        ttc: TTC,
        ctc: CTC,
        amount: Amount,
        key reference: KeyReference,
        random: any RandomSource
    ) -> SealedGMAC {
        func value(_ sealed: [UInt8]) -> SealedGMAC {
            SealedGMAC(
                card: card,
                terminal: terminal,
                ttc: ttc,
                ctc: ctc,
                amount: amount,
                key: reference,
                sealed: sealed
            )
        }
        return value(key.seal(gmac.bytes, context: value([]).context, random: random))
    }

    fileprivate func open(_ gmac: SealedGMAC) -> [UInt8]? { key.open(gmac.sealed, context: gmac.context) }
}
