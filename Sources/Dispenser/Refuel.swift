import CardCryptography
import FuelPassbook
import ISO7816
import Metering
import Quantities
import Records
import SecurityModule

// The refuel, steps 1.1 to 1.15 of the source (spec/grey-lock.md, section 5; spec/dispenser.md, section 3).

extension Position {
    /// - Parameter verified: the PIN, where the card has been asked for it in this visit.
    func refuel(_ card: PublicApplicationFile, _ verified: consuming PIN?) throws(Interruption) {
        try checkMayServe(card)
        let pin = try verifiedPIN(verified)
        try beginAnew()

        // 1.1, 1.2
        let command = try beginSession()
        let answer = try exchange(command)
        // 1.3, 1.4
        let authenticated = try verifyMAC1(card.asn, command, answer)
        try checkNumbersLeft(answer.ctc)
        let target = try target(balance: answer.balance)
        try checkNoEmergency()
        // 1.5
        let locking = authenticated.makeMAC2(time: try saleTime())
        var intent = intent(card.asn, command, answer, locking)
        var record = newSale(command.ttc, locking.time, .greyLock(.intent(intent)))
        try commit(JournalEntry(record))
        // 1.6 to 1.9
        let session = try lock(&record, &intent, locking)
        let locked = intent.locked(session.proof)
        record.lockTender = .locked(locked)
        try commit(JournalEntry(record))
        try closeNeverLocked(session.proof)
        let grant = FuelGrant.lock(LockedCard(session: session, pin: pin))
        // 1.10
        let fuelled = try fuel(&record, grant, target)
        switch consume grant {
        case .lock(let card):
            // 1.11
            let unpaid = locked.ended(card.session.end(amount: record.amount))
            try end(&record, unpaid, fuelled)
            // 1.12 to 1.15
            try settle(&record, unpaid, card.pin)
        case .payment: preconditionFailure("a refuel flows on its lock")
        }
        if case .pumpFailed(let fault) = fuelled { throw .failure(.pump(fault)) }
    }

    /// The command of step 1.1, under a new number; and a number for the question behind the debit.
    func beginSession() throws(Interruption) -> InitializeForPetrol {
        let command = initializeForPetrol(try takeNumber())
        questionNumber = try takeQuestionNumber()
        return command
    }

    /// The number that is kept, or a new one.
    func takeQuestionNumber() throws(Interruption) -> TTC {
        guard let kept = questionNumber.take() else { return try takeNumber() }
        return kept
    }

    func initializeForPetrol(_ ttc: TTC) -> InitializeForPetrol {
        InitializeForPetrol(keyIndex: settings.keyIndex, terminal: edges.module.terminal, ttc: ttc)
    }

    /// Step 1.11.
    private func end(
        _ record: inout Record,
        _ unpaid: LockTender.Unpaid,
        _ fuelled: FuellingEnd
    ) throws(Interruption) {
        record.lockTender = .unpaid(unpaid)
        record.ended = endTime(after: record.begun)
        let totaliser = totaliser.adding(record.reading, fen: Int(record.price.fen))
        record.totaliser = totaliser
        try commit(JournalEntry(record, totaliser: totaliser, lock: lock(after: fuelled, record)))
    }

    /// What must be right before a card is asked to lock or to pay; the rest the card itself decides.
    func checkMayServe(_ card: PublicApplicationFile) throws(Interruption) {
        let time = try checkReadiness()
        guard let today = time.date else { throw .refused(.clockNotSet) }
        guard card.validFrom <= today else { throw .refused(.notYetValid(from: card.validFrom)) }
        guard today <= card.validTo else { throw .refused(.expired(on: card.validTo)) }
        guard settings.cardKinds.contains(card.asn.kind) else { throw .refused(.cardKind(card.asn.kind)) }
        guard !settings.blacklist.contains(card.asn) else { throw .refused(.blacklisted) }
        let room = try countedRoom()
        if room < JournalRoom.warnedBelow { show(.calling, .journalNearlyFull(room: room)) }
    }

    func verifyMAC1(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPetrol,
        _ answer: InitializeForPetrol.Response
    ) throws(Interruption) -> AuthenticatedSale {
        do throws(SecurityModuleError) {
            return try edges.module.verifyMAC1(card: card, command: command, answer: answer)
        } catch {
            throw .refused(.module(error))
        }
    }

    /// The lock counts up, and behind it the card must still answer INITIALIZE FOR PETROL, which proves the debit.
    func checkNumbersLeft(_ ctc: CTC) throws(Interruption) {
        guard let locked = ctc.next, locked < .maximum else { throw .refused(.numbersUsedUp) }
    }

    func checkNoEmergency() throws(Interruption) {
        guard !edges.pump.snapshot.emergencyIsActive else { throw .refused(.emergencyStop) }
    }

    /// The most that this sale may deliver, in centilitres: the least of balance, preset and the position's limit.
    private func target(balance: Amount) throws(Interruption) -> Volume {
        let price = settings.unitPrice
        let needed = Amount(fen: UInt32(price.fenPerLitre))
        guard balance >= needed else { throw .refused(.notEnoughMoney(balance: balance, needed: needed)) }
        let affordable = price.centilitres(forFen: Int(balance.fen))
        return Volume(centilitres: min(affordable, centilitresMax(within: settings.preset) ?? affordable))
    }

    /// What a preset and the position's own limit allow, in centilitres; nil when they limit nothing.
    func centilitresMax(within preset: Preset?) -> Int? {
        [settings.limit, preset].compactMap(\.self).flatMap { preset in
            [preset.amount.map { settings.unitPrice.centilitres(forFen: Int($0.fen)) }, preset.centilitres]
        }.compactMap(\.self).min()
    }

    /// Before the lock nothing is owed yet, and the grey record that the sale may become releases the card for nothing.
    func intent(
        _ card: ApplicationSerialNumber,
        _ command: InitializeForPetrol,
        _ answer: InitializeForPetrol.Response,
        _ locking: borrowing LockingSale
    ) -> LockTender.Intent {
        let standing = CardStanding(
            card: card,
            key: KeyReference(index: command.keyIndex, version: answer.keyVersion),
            balance: answer.balance,
            ctc: answer.ctc
        )
        return LockTender.Intent(
            lock: Lock(standing, mac3: locking.greyLockCode.bytes, tac: nil),
            zero: locking.gmacOfZero()
        )
    }

    /// A sale here for which nothing has flowed.
    func newSale(_ ttc: TTC, _ begun: TransactionTime, _ tender: Tender) -> Record {
        let delivery = Delivery(
            nozzle: settings.nozzle,
            grade: settings.grade,
            unitPrice: settings.unitPrice,
            reading: .none(points: settings.calibration.points.count)
        )
        return newRecord(ttc, begun, .sale(delivery, tender))
    }

    func newRecord(_ ttc: TTC, _ begun: TransactionTime, _ content: Content) -> Record {
        Record(ttc: ttc, position: settings.position, terminal: edges.module.terminal, begun: begun, content)
    }

    /// Steps 1.6 and 1.9. Whatever goes wrong after the command left, the card may be locked: the record becomes a grey
    /// record of zero, which also covers that it is not.
    func lock(
        _ record: inout Record,
        _ intent: inout LockTender.Intent,
        _ locking: consuming LockingSale
    ) throws(Interruption) -> LockedSale {
        let answer: LockForPetrol.Response
        do throws(Interruption) {
            answer = try exchange(LockForPetrol(time: locking.time, mac2: locking.mac2))
        } catch {
            if case .card(.removed) = error {
                try escape(&record, intent.unproven, .left, remark: "the card left before the lock was answered")
            } else {
                try escape(&record, intent.unproven, .fault, remark: "LOCK FOR PETROL failed")
            }
            throw error
        }
        intent.lock.tac = answer.lockTAC.bytes
        do throws(SecurityModuleError) {
            return try locking.verifyMAC3(answer.mac3)
        } catch {
            try escape(&record, intent.unproven, .fault, remark: error.description)
            throw .refused(.module(error))
        }
    }

    /// Turns an unpaid sale into a grey record: from now on the journal alone settles it.
    func escape(
        _ record: inout Record,
        _ unpaid: LockTender.Unpaid,
        _ escape: LockTender.Escape,
        remark: String?
    ) throws(Interruption) {
        record.lockTender = .escaped(unpaid, escape)
        record.ended = record.ended ?? endTime(after: record.begun)
        record.totaliser = record.totaliser ?? totaliser
        record.remark = remark ?? record.remark
        try commit(JournalEntry(record, grey: GreyRecord(of: record.ttc, unpaid)))
        show(.completed, .escaped(record.amount))
    }
}
