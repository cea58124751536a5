import CardCryptography
import Dispatch
import Dispenser
import FuelPassbook
import Glibc
import ISO7816
import PCSC
import Quantities
import Records
import SecurityModule
import Synchronization
import TestPrograms
import Testing
import Threads
import VirtualCards

/// Tests that own the one pcscd that this process can talk to.
@Suite(
    .serialized,
    .enabled(if: CardDaemon.isUsable, Comment(rawValue: CardDaemon.reasonToSkip)),
    .timeLimit(.minutes(10))
)
struct WithPCSCD {}

extension WithPCSCD {
    /// A card in a virtual reader, known to pcscd, and a reader that is not connected yet.
    final class Bench {
        let daemon: CardDaemon
        let events = EventLog()
        let monitor: ReaderMonitor
        let card: ServedCard
        let reader = PCSCReader(name: "00 00")

        init(_ transmission: CardTransmission, leavesAtCommit: Bool = false) throws {
            daemon = try CardDaemon(port: CardDaemon.freePorts())
            monitor = ReaderMonitor(name: "00 00", post: events.post)
            card = try ServedCard(port: daemon.port, transmission, leavesAtCommit: leavesAtCommit)
            #expect(events.next() == .cardInserted)
        }

        deinit {
            reader.disconnect()
            card.connection.stop()
            monitor.stop()
            daemon.stop()
        }
    }

    @Suite struct PCSCReaderTests {
        @Test(arguments: CardTransmission.allCases)
        func aRefuelIsExchangedByteForByte(transmission: CardTransmission) throws {
            let bench = try Bench(transmission).connected
            let selected = try bench.reader.send(SelectApplication(aid: Demonstration.aid).apdu)
            let file = Demonstration.applicationFile
            let expected = SelectApplication.Response(aid: Demonstration.aid, issuerData: file.issuer)
            #expect(selected == ResponseAPDU(data: expected.bytes))
            let read = ReadBinary(file: PublicApplicationFile.shortIdentifier, count: PublicApplicationFile.length)
            #expect(try bench.reader.send(read.apdu) == ResponseAPDU(data: file.bytes))
            try bench.reader.open()
            try sell(Amount(fen: 12_345), bench.reader)
            let left = Amount(fen: Demonstration.balance.fen - 12_345)
            #expect(try bench.reader.answer(GetBalance()).balance == left)
        }

        /// Steps 1.2 to 1.15, the module's checks included.
        private func sell(_ amount: Amount, _ reader: PCSCReader) throws {
            let card = Demonstration.applicationFile.asn
            let key = KeyReference(index: Demonstration.keyIndex, version: Demonstration.keyVersion)
            let module = SecurityModule.demonstration()
            let time = try TransactionTime(
                date: CalendarDate(year: 2026, month: 3, day: 4),
                hour: 5,
                minute: 6,
                second: 7
            )
            let initialize = InitializeForPetrol(
                keyIndex: Demonstration.keyIndex,
                terminal: Demonstration.terminal,
                ttc: TTC(1)
            )
            let begun = try reader.answer(initialize)
            #expect(begun.balance == Demonstration.balance)
            let locking = try module.verifyMAC1(card: card, command: initialize, answer: begun).makeMAC2(time: time)
            let locked = try reader.answer(LockForPetrol(time: time, mac2: locking.mac2))
            let sealed = try locking.verifyMAC3(locked.mac3).end(amount: amount)
            let debit = DebitForPetrol(
                amount: amount,
                ctc: CTC(begun.ctc.number + 1),
                terminal: Demonstration.terminal,
                ttc: TTC(1),
                time: time,
                gmac: try module.open(sealed)
            )
            let debited = try reader.answer(debit)
            let attempt = DebitAttempt(ttc: TTC(1), type: .refuel, terminal: Demonstration.terminal, time: time)
            let proof = try module.verifyMAC4(
                debited.mac4,
                tac: debited.debitTAC,
                card: card,
                key: key,
                amount: amount,
                attempts: [attempt]
            )
            #expect(proof?.attempt == attempt)
        }

        @Test(arguments: CardTransmission.allCases)
        func aWrongLeIsCorrectedOnce(transmission: CardTransmission) throws {
            let bench = try Bench(transmission).connected
            try bench.reader.open()
            var balance = GetBalance().apdu
            balance.expectedLength = 2
            #expect(try bench.reader.send(balance) == ResponseAPDU(data: Demonstration.balance.bytes))
            let file = ReadBinary(file: PublicApplicationFile.shortIdentifier, count: 31).apdu
            #expect(try bench.reader.send(file) == ResponseAPDU(data: Demonstration.applicationFile.bytes))
            var initialize = InitializeForPetrol(
                keyIndex: Demonstration.keyIndex,
                terminal: Demonstration.terminal,
                ttc: TTC(1)
            ).apdu
            initialize.expectedLength = 1
            #expect(try bench.reader.send(initialize).data.count == InitializeForPetrol.Response.length)
        }

        @Test(arguments: CardTransmission.allCases)
        func aRefusalOfTheCardIsAnAnswer(transmission: CardTransmission) throws {
            let bench = try Bench(transmission).connected
            #expect(try bench.reader.send(GetBalance().apdu).status == .conditionsOfUseNotSatisfied)
            let unknown = CommandAPDU(
                CommandHeader(0x00, 0xA4, 0x04, 0x00),
                data: [1, 2, 3, 4, 5],
                expectedLength: 256
            )
            #expect(try bench.reader.send(unknown) == ResponseAPDU(status: .fileNotFound))
            #expect(
                try bench.reader.send(CommandAPDU(CommandHeader(0x00, 0xC0, 0x00, 0x00), expectedLength: 4)).status
                    == (transmission == .t0 ? .conditionsOfUseNotSatisfied : .instructionNotSupported)
            )
        }

        @Test(arguments: CardTransmission.allCases)
        func theCardIsPoweredDownByDisconnectAndUpByConnect(transmission: CardTransmission) throws {
            let bench = try Bench(transmission).connected
            try bench.reader.open()
            bench.reader.disconnect()
            try bench.reader.connect()
            #expect(try bench.reader.send(GetBalance().apdu).status == .conditionsOfUseNotSatisfied)
            try bench.reader.open()
            #expect(try bench.reader.answer(GetBalance()).balance == Demonstration.balance)
        }

        @Test(arguments: CardTransmission.allCases)
        func aCardThatLeftIsRemoved(transmission: CardTransmission) throws {
            let bench = try Bench(transmission).connected
            try bench.reader.open()
            try bench.card.pull()
            #expect(throws: CardFault.removed) { try bench.reader.send(GetBalance().apdu) }
            #expect(throws: CardFault.removed) { try bench.reader.send(GetBalance().apdu) }
            #expect(bench.events.next() == .cardRemoved)
            #expect(throws: CardFault.removed) { try bench.reader.connect() }
        }

        @Test(arguments: CardTransmission.allCases)
        func aCardThatLeavesInsideACommandIsRemoved(transmission: CardTransmission) throws {
            let bench = try Bench(transmission, leavesAtCommit: true).connected
            #expect(try bench.reader.send(SelectApplication(aid: Demonstration.aid).apdu).status == .success)
            let wrongPIN = CommandAPDU(Instruction.verify.header, data: [0x65, 0x43, 0x21])
            #expect(throws: CardFault.removed) { try bench.reader.send(wrongPIN) }
            #expect(bench.events.next() == .cardRemoved)
            try bench.card.pull()
        }

        @Test func aSecondReaderCannotTakeTheCard() throws {
            let bench = try Bench(.t1).connected
            let error = #expect(throws: CardFault.self) { try PCSCReader(name: "00 00").connect() }
            #expect("\(try #require(error))".contains("another program uses the card: end it (SCardConnect: "))
            try bench.reader.open()
        }

        @Test func theSecondSlotIsChosenByItsName() throws {
            let bench = try Bench(.t1)
            #expect(throws: CardFault.removed) { try PCSCReader(name: "00 01").connect() }
            let names = "Virtual PCD 00 00, Virtual PCD 00 01"
            let advice = "no card reader named \"another\": plug it in, or configure one of: \(names)"
            #expect(throws: CardFault.reader(advice)) { try PCSCReader(name: "another").connect() }
            try bench.reader.connect()
        }

        @Test func theContextIsMadeAnewWhenPCSCDWasRestarted() throws {
            let bench = try Bench(.t1).connected
            try bench.reader.open()
            let port = bench.daemon.port
            bench.daemon.stop()
            let error = #expect(throws: CardFault.self) { try bench.reader.send(GetBalance().apdu) }
            guard case .reader(let text) = try #require(error) else {
                throw UnexpectedEvent(description: "\(error as Any)")
            }
            #expect(
                text.hasPrefix("the card service ") && text.contains("(SCardTransmit: ") && text.contains("(0x801000")
            )
            #expect(throws: CardFault.self) { try bench.reader.connect() }
            _ = try bench.events.nextLoss()

            let daemon = try CardDaemon(port: port)
            #expect(bench.events.nextAfterLosses() == .back)
            let card = try ServedCard(port: port, .t1)
            #expect(bench.events.next() == .cardInserted)
            try bench.reader.connect()
            try bench.reader.open()
            try card.pull()
            daemon.stop()
        }

        /// The client library has the same code for it as for a user whom polkit refuses.
        @Test func aPCSCDThatEndsWithACommandUnreadIsNoRefusedUser() throws {
            let bench = try Bench(.t1).connected
            try bench.reader.open()
            bench.daemon.freeze()
            // SAFETY: the thread alone uses it until it has ended.
            nonisolated(unsafe) let reader = bench.reader
            let said = Said()
            let thread = NamedThread("transmit") {
                do throws(CardFault) { _ = try unsafe reader.send(GetBalance().apdu) } catch {
                    said.words.withLock { $0 = "\(error)" }
                }
                said.ended.signal()
            }
            let patience = Patience()
            while !ProcessReport.isWaiting("transmit"), patience.milliseconds > 0 { sched_yield() }
            bench.daemon.stop()
            try said.ended.wait(for: "the end of the exchange")
            thread.join()
            let words = said.words.withLock { $0 }
            #expect(words.contains("the card service ") && words.contains("start pcscd"), "\(words)")
            #expect(words.contains("SCardTransmit") && !words.contains("polkit"), "\(words)")
        }

        private final class Said: Sendable {
            let ended = DispatchSemaphore(value: 0)
            let words = Mutex("")
        }

        @Test func aKeptContextOfAnEndedPCSCDIsReplacedAtConnect() throws {
            let bench = try Bench(.t1).connected
            bench.reader.disconnect()
            let port = bench.daemon.port
            bench.daemon.stop()
            _ = try bench.events.nextLoss()
            let daemon = try CardDaemon(port: port)
            #expect(bench.events.nextAfterLosses() == .back)
            let card = try ServedCard(port: port, .t1)
            #expect(bench.events.next() == .cardInserted)
            try bench.reader.connect()
            try bench.reader.open()
            try card.pull()
            daemon.stop()
        }
    }
}

extension WithPCSCD.Bench {
    var connected: WithPCSCD.Bench {
        get throws {
            try reader.connect()
            return self
        }
    }
}
