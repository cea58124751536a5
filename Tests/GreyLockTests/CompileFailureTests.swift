import Dispenser
import Foundation
import FuelPassbook
import GreyLock
import Quantities
import Records
import SecurityModule
import Testing

/// What the types of a session, a proof and a board promise: code that uses a finished one, or makes one past its check, does not
/// compile.
///
/// Each snippet goes through the compiler as far as its ownership diagnostics (`-emit-sil`; `-typecheck` stops before
/// them), against the modules that this test was built with.
struct CompileFailureTests {
    struct Snippet: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
        /// A part of the one error that the compiler must report.
        let error: String
    }

    static let control = """
        func sale(_ locking: consuming LockingSale, mac3: MAC) throws -> SealedGMAC {
            _ = locking.gmacOfZero()
            let locked = try locking.verifyMAC3(mac3)
            _ = locked.gmac(of: .zero)
            return locked.end(amount: .zero)
        }
        func start(_ board: consuming Board) throws -> RecoveredBoard { try board.recover() }
        """

    static let refused = [
        Snippet(
            testDescription: "a GMAC after the end",
            body: """
                func sale(_ locked: consuming LockedSale) {
                    _ = locked.end(amount: .zero)
                    _ = locked.gmac(of: .zero)
                }
                """,
            error: "'locked' used after consume"
        ),
        Snippet(
            testDescription: "the end twice",
            body: """
                func sale(_ locked: consuming LockedSale) {
                    _ = locked.end(amount: .zero)
                    _ = locked.end(amount: .zero)
                }
                """,
            error: "'locked' consumed more than once"
        ),
        Snippet(
            testDescription: "MAC3 checked twice",
            body: """
                func sale(_ locking: consuming LockingSale, mac3: MAC) throws {
                    _ = try locking.verifyMAC3(mac3)
                    _ = try locking.verifyMAC3(mac3)
                }
                """,
            error: "'locking' consumed more than once"
        ),
        Snippet(
            testDescription: "MAC3 checked again after a wrong one",
            body: """
                func sale(_ locking: consuming LockingSale, mac3: MAC) throws -> LockedSale {
                    do { return try locking.verifyMAC3(mac3) } catch { return try locking.verifyMAC3(mac3) }
                }
                """,
            error: "'locking' consumed more than once"
        ),
        Snippet(
            testDescription: "MAC2 of a purchase checked twice",
            body: """
                func purchase(_ debiting: consuming DebitingPurchase, mac2: MAC) throws {
                    _ = try debiting.verifyMAC2(mac2, tac: mac2)
                    _ = try debiting.verifyMAC2(mac2, tac: mac2)
                }
                """,
            error: "'debiting' consumed more than once"
        ),
        Snippet(
            testDescription: "MAC2 made twice",
            body: """
                func sale(_ sale: consuming AuthenticatedSale, time: TransactionTime) {
                    _ = sale.makeMAC2(time: time)
                    _ = sale.makeMAC2(time: time)
                }
                """,
            error: "'sale' consumed more than once"
        ),
        Snippet(
            testDescription: "a copy of a session",
            body: """
                func sale(_ locked: borrowing LockedSale) -> LockedSale {
                    copy locked
                }
                """,
            error: "'copy' cannot be applied to noncopyable types"
        ),
        Snippet(
            testDescription: "a borrowed session ended",
            body: """
                func sale(_ locked: borrowing LockedSale) -> SealedGMAC {
                    let mine = locked
                    return mine.end(amount: .zero)
                }
                """,
            error: "'locked' is borrowed and cannot be consumed"
        ),
        Snippet(
            testDescription: "a session kept in a type that copies",
            body: """
                func keep(_ locked: consuming LockedSale) -> Any { locked }
                """,
            error: "does not conform to 'Copyable'"
        ),
        Snippet(
            testDescription: "a card of the patent with another kind of module",
            body: """
                final class SAM {}
                func card(_ dialogue: CardDialogue, _ sam: SAM) {
                    _ = PatentCard(dialogue, module: sam, keyIndex: KeyIndex(1))
                }
                """,
            error: "cannot convert value of type 'SAM' to expected argument type 'SecurityModule'"
        ),
        Snippet(
            testDescription: "a lock sent twice",
            body: """
                func lock(_ card: PatentCard, _ locking: consuming LockingSale, _ tac: inout [UInt8]?) throws {
                    _ = try card.lock(locking, tac: &tac)
                    _ = try card.lock(locking, tac: &tac)
                }
                """,
            error: "'locking' consumed more than once"
        ),
        Snippet(
            testDescription: "a MAC4 that nobody verified",
            body: """
                func answered(_ card: ApplicationSerialNumber, _ attempt: DebitAttempt, _ tac: MAC) -> AnsweredDebit {
                    AnsweredDebit(card: card, amount: .zero, attempt: attempt, tac: tac)
                }
                """,
            error: "'AnsweredDebit' initializer is inaccessible due to 'fileprivate' protection level"
        ),
        Snippet(
            testDescription: "a debit that is paid because MAC4 was right",
            body: """
                func paid(_ answered: AnsweredDebit, _ lock: CTC) -> ProvenDebit {
                    ProvenDebit(answer: answered, lock: lock)
                }
                """,
            error: "'ProvenDebit' initializer is inaccessible due to 'fileprivate' protection level"
        ),
        Snippet(
            testDescription: "a release that nobody proved",
            body: """
                func released(_ card: ApplicationSerialNumber, _ ctc: CTC) -> ProvenRelease {
                    ProvenRelease(card: card, lock: ctc, present: ctc, balance: .zero)
                }
                """,
            error: "'ProvenRelease' initializer is inaccessible due to 'fileprivate' protection level"
        ),
        Snippet(
            testDescription: "a record that says paid without a proof",
            body: """
                func pay(_ unpaid: LockTender.Unpaid, _ debit: DebitAttempt) -> LockTender.Paid {
                    LockTender.Paid(lock: unpaid.lock, amount: unpaid.due.amount, debit: debit, tac: [])
                }
                """,
            error: "'LockTender.Paid' initializer is inaccessible due to 'internal' protection level"
        ),
        Snippet(
            testDescription: "a lock without a proof",
            body: """
                func lock(_ intent: LockTender.Intent) -> LockTender.Locked {
                    LockTender.Locked(lock: intent.lock, zero: intent.zero)
                }
                """,
            error: "'LockTender.Locked' initializer is inaccessible due to 'internal' protection level"
        ),
        Snippet(
            testDescription: "a debit sent before the sale has ended",
            body: """
                func send(_ locked: LockTender.Locked, _ attempt: DebitAttempt) { _ = locked.send(attempt) }
                """,
            error: "value of type 'LockTender.Locked' has no member 'send'"
        ),
        Snippet(
            testDescription: "a phase skipped: an intent that is paid",
            body: """
                func skip(_ intent: LockTender.Intent, _ debit: ProvenDebit) { _ = intent.paid(by: debit) }
                """,
            error: "value of type 'LockTender.Intent' has no member 'paid'"
        ),
        Snippet(
            testDescription: "a grey record that says released without a proof",
            body: """
                func close(_ grey: inout GreyRecord) { grey.state = .elsewhere }
                """,
            error: "cannot assign to property: 'state' setter is inaccessible"
        ),
        Snippet(
            testDescription: "a board recovered twice",
            body: """
                func start(_ board: consuming Board) throws {
                    _ = try board.recover()
                    _ = try board.recover()
                }
                """,
            error: "'board' consumed more than once"
        ),
        Snippet(
            testDescription: "a board recovered again after a fault",
            body: """
                func start(_ board: consuming Board) throws -> RecoveredBoard {
                    do { return try board.recover() } catch { return try board.recover() }
                }
                """,
            error: "'board' consumed more than once"
        ),
        Snippet(
            testDescription: "a copy of a board, to be recovered too",
            body: """
                func start(_ board: borrowing Board) -> Board { copy board }
                """,
            error: "'copy' cannot be applied to noncopyable types"
        ),
        Snippet(
            testDescription: "a recovered board without recovery",
            body: """
                func start(_ totals: KeptTotals, _ orders: StandingOrders) -> RecoveredBoard {
                    RecoveredBoard(totals, orders, nozzles: [])
                }
                """,
            error: "'RecoveredBoard' initializer is inaccessible due to 'fileprivate' protection level"
        ),
        Snippet(
            testDescription: "a record set back to an earlier phase",
            body: """
                func rewind(_ record: inout Record, _ locked: LockTender) { record.lockTender = locked }
                """,
            error: "cannot assign to property: 'lockTender' is a get-only property"
        ),
        Snippet(
            testDescription: "a record given another content",
            body: """
                func replace(_ record: inout Record, _ other: Record) { record.content = other.content }
                """,
            error: "cannot assign to property: 'content' setter is inaccessible"
        ),
        Snippet(
            testDescription: "a record that begins settled",
            body: """
                func begin(_ head: RecordHead, _ paid: Record) -> Record { Record(head, paid.content) }
                """,
            error: "cannot convert value of type 'Content' to expected argument type 'RecordBeginning'"
        ),
        Snippet(
            testDescription: "a grey record with debits that nobody sent",
            body: """
                func forget(_ grey: inout GreyRecord) { grey.debits = [] }
                """,
            error: "cannot assign to property: 'debits' setter is inaccessible"
        ),
    ]

    @Test func theControlCompiles() throws {
        let (compiles, output) = try compile(Self.control)
        #expect(compiles, "\(output)")
    }

    @Test(arguments: refused)
    func doesNotCompile(snippet: Snippet) throws {
        let (compiles, output) = try compile(snippet.body)
        #expect(!compiles)
        let errors = output.split(separator: "\n").filter { $0.hasPrefix("<stdin>:") && $0.contains(" error: ") }
        #expect(errors.count == 1 && errors.allSatisfy { $0.contains(snippet.error) }, "\(output)")
    }

    // MARK: - The compiler

    private func compile(_ body: String) throws -> (compiles: Bool, output: String) {
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "timeout", "300", "swiftc", "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-module-name",
            "Snippet",
            "-parse-as-library", "-I", try modules().path, "-package-name", packageName, "-Xcc",
            "-fmodule-map-file=\(root.path)/Sources/COpenSSL/module.modulemap", "-",
        ]
        let (input, output) = (Pipe(), Pipe())
        compiler.standardInput = input
        compiler.standardOutput = output
        compiler.standardError = output
        try compiler.run()
        let source =
            "import CardCryptography\nimport Dispenser\nimport FuelPassbook\nimport GreyLock\nimport Quantities\nimport Records\nimport SecurityModule\n\n"
            + body + "\n"
        try input.fileHandleForWriting.write(contentsOf: Data(source.utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        compiler.waitUntilExit()
        return (compiler.terminationStatus == 0, text)
    }

    /// Beside the test bundle, which runs as this process.
    private func modules() throws -> URL {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let modules = URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("Modules")
        try #require(FileManager.default.fileExists(atPath: modules.path), "no built modules at \(modules.path)")
        return modules
    }

    private var root: URL {
        var root = URL(fileURLWithPath: #filePath)
        for _ in ["CompileFailureTests.swift", "GreyLockTests", "Tests"] { root.deleteLastPathComponent() }
        return root
    }

    /// SwiftPM names a root package after its folder.
    private var packageName: String {
        String(root.lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }
}
