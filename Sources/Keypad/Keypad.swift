private import CLinux
import CardCryptography
private import Glibc
private import Synchronization
package import Threads

/// An input device at which PINs are typed: this program's alone from the start to ``stop()``, as often as it is unplugged and
/// comes back (decision record 0059).
///
/// A thread of its own reads. What is typed while nothing is asked for is no answer, and what was typed before a question
/// neither. Any thread may call.
package final class Keypad: Sendable {
    package enum Event: Equatable, Sendable {
        /// It is this program's; what it calls itself.
        case taken(name: String)
        /// Once for each cause. What was asked has no answer then.
        case lost(KeypadFault)
    }

    /// Between two attempts to take it.
    private static let retryMilliseconds: Int32 = 500
    /// The kernel keeps 64 for a keyboard.
    private static let eventsMax = 64
    private static let turnsMax = 64

    private struct Question: ~Copyable {
        var line: KeypadLine
        let changed: @Sendable (Int) -> Void
        let answer: @Sendable (consuming KeypadAnswer) -> Void
    }

    private enum Asking: ~Copyable {
        case nothing
        case question(Question)
    }

    private struct Reading: ~Copyable {
        var device: Result<KeypadDevice, KeypadFault>
        var events = InputEvents()
        var buffer = LockedBuffer(count: Keypad.eventsMax * InputEvents.length)
    }

    private let path: String
    private let told: @Sendable (Event) -> Void
    /// Held from a key to what it does, ``asking`` being taken inside it: a key from before a question is not the question's.
    private let reading: Mutex<Reading>
    private let asking = Mutex(Asking.nothing)
    private let isStopping = Atomic(false)
    private let bell: Int32
    private let thread: Mutex<NamedThread?> = Mutex(nil)
    package let progress = LoopProgress()

    /// Tries to take it before it returns.
    ///
    /// - Parameters:
    ///   - path: of the device file; one that stays the same when others are plugged in.
    ///   - told: called from here and from the keypad's thread; it must not block.
    package init(_ path: String, told: @escaping @Sendable (Event) -> Void) {
        self.path = path
        self.told = told
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(bell >= 0, "the process has no more descriptors")
        let first = Self.take(path)
        reading = Mutex(Reading(device: first))
        tell(first)
        progress.works()
        let started = NamedThread("keypad") { [self] in run() }
        thread.withLock { $0 = started }
    }

    deinit { close(bell) }

    /// Why nothing can be typed; nil while it can.
    package var loss: KeypadFault? {
        reading.withLock { reading in
            switch reading.device {
            case .success: nil
            case .failure(let fault): fault
            }
        }
    }

    /// Lets the keypad go, and returns when its thread has ended. It must be called.
    package func stop() {
        let running = thread.withLock { $0.take() }
        guard let running else { return }
        isStopping.store(true, ordering: .relaxed)
        let result = eventfd_write(bell, 1)
        precondition(result == 0, "the bell is open")
        running.join()
        takeBackQuestion()
        reading.withLock { $0.device = .failure(.unplugged(path)) }
    }

    // MARK: - Asking

    /// Asks for digits. What was typed before is thrown away.
    ///
    /// - Parameters:
    ///   - changed: how many characters there are now; none at first, when what was typed before is gone.
    ///   - answer: called once, unless the keypad is lost or the question is taken back before.
    /// - Returns: false when there is no keypad.
    package func askForDigits(
        max: Int,
        changed: @escaping @Sendable (Int) -> Void,
        answer: @escaping @Sendable (consuming KeypadAnswer) -> Void
    ) -> Bool {
        reading.withLock { reading in
            guard case .success(let device) = reading.device else { return false }
            takeBackQuestion()
            // That it is lost, its thread finds too.
            do throws(KeypadFault) { try takeEvents(of: device, &reading) } catch {}
            changed(0)
            asking.withLock {
                $0 = .question(Question(line: KeypadLine(digitsMax: max), changed: changed, answer: answer))
            }
            return true
        }
    }

    /// Takes the question back; what was typed is wiped.
    package func takeBackQuestion() { asking.withLock { $0 = .nothing } }

    // MARK: - The keypad's thread

    private func run() {
        defer { progress.ends() }
        while !isStopping.load(ordering: .relaxed) {
            let held = reading.withLock { $0.device }
            var waits = [pollfd(fd: bell, events: Int16(POLLIN), revents: 0)]
            var patience = Self.retryMilliseconds
            if case .success(let device) = held {
                waits.append(pollfd(fd: device.descriptor, events: Int16(POLLIN), revents: 0))
                patience = LoopProgress.waitMillisecondsMax
            }
            progress.waits()
            let result = unsafe poll(&waits, nfds_t(waits.count), patience)
            precondition(result >= 0 || errno == EINTR, "the descriptors are open")
            progress.works()
            guard result >= 0, waits[0].revents == 0 else { continue }
            switch held {
            case .success(let device): if result > 0 { takeEvents(of: device) }
            case .failure(let before): takeAgain(before)
            }
        }
    }

    private func takeAgain(_ before: KeypadFault) {
        let found = Self.take(path)
        reading.withLock { reading in
            reading.device = found
            reading.events = InputEvents()
        }
        if case .failure(before) = found { return }
        tell(found)
    }

    private static func take(_ path: String) -> Result<KeypadDevice, KeypadFault> {
        do throws(KeypadFault) { return .success(try KeypadDevice(path)) } catch { return .failure(error) }
    }

    private func tell(_ found: Result<KeypadDevice, KeypadFault>) {
        switch found {
        case .success(let device): told(.taken(name: device.name))
        case .failure(let fault): told(.lost(fault))
        }
    }

    private func takeEvents(of device: KeypadDevice) {
        let fault: KeypadFault? = reading.withLock { reading in
            do throws(KeypadFault) {
                try takeEvents(of: device, &reading)
                return nil
            } catch {
                reading.device = .failure(error)
                takeBackQuestion()
                return error
            }
        }
        if let fault { told(.lost(fault)) }
    }

    /// Until nothing waits, or a device that never ceases to send has had its turn.
    private func takeEvents(of device: KeypadDevice, _ reading: inout Reading) throws(KeypadFault) {
        var turns = 0
        while try takeBatch(of: device, &reading) > 0, turns < Self.turnsMax { turns += 1 }
    }

    private func takeBatch(of device: KeypadDevice, _ reading: inout Reading) throws(KeypadFault) -> Int {
        defer { reading.buffer.wipe() }
        let count = try device.read(into: &reading.buffer)
        for start in stride(from: 0, to: count - InputEvents.length + 1, by: InputEvents.length) {
            // A key is in this thread's registers, and no longer than it takes.
            var events = reading.events
            let event = reading.buffer.withSpan { events.receive($0.extracting(start..<start + InputEvents.length)) }
            reading.events = events
            if let event { asking.withLock { $0 = Self.receive(event, $0) } }
        }
        return count
    }

    private static func receive(_ event: InputEvents.Event, _ asking: consuming Asking) -> Asking {
        switch consume asking {
        case .nothing: return .nothing
        case .question(var question):
            switch question.line.receive(event) {
            case .none: return .question(question)
            case .changed(let characters):
                question.changed(characters)
                return .question(question)
            case .entered:
                let answer = question.answer
                answer(question.line.take())
            case .refused(let fault): question.answer(.refused(fault))
            case .cancelled: question.answer(.cancelled)
            }
            return .nothing
        }
    }
}
