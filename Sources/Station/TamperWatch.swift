import Codes
import Configuration
import GPIO
import Synchronization
import Threads

/// Looks after the tamper line on a thread of its own. When it becomes active the valves are closed, and then this program begins
/// anew in its own place: with one call of the kernel every key of the service is out of memory, whatever each of its
/// threads does. What begins destroys the keys on disk (``TamperEnd``, decision record 0049).
final class TamperWatch: Sendable {
    /// After it the keys go although an output is not off; what begins then closes it.
    private static let valvesNanosecondsMax: UInt64 = 50_000_000
    /// Above the pump's thread, below the kernel's interrupt threads.
    static let realTimePriority: Int32 = 41

    private let line: TamperLine
    private let thread: NamedThread
    private let fault: LineFault

    private final class LineFault: Sendable {
        let first: Mutex<GPIOFault?> = Mutex(nil)
    }

    /// - Parameters:
    ///   - stop: what closes the valves; it is also requested when the line fails.
    ///   - giveBack: the console, as it was.
    init(
        _ line: TamperLine,
        _ next: NextProgram,
        _ stop: StopControl,
        giveBack: @escaping @Sendable () -> Void
    ) {
        let fault = LineFault()
        self.line = line
        self.fault = fault
        line.progress.works()
        thread = NamedThread("tamper") {
            defer { line.progress.ends() }
            next.bringCode()
            _ = NamedThread.becomeRealTime(priority: Self.realTimePriority)
            do throws(GPIOFault) {
                guard let edge = try line.waitUntilActive() else { return }
                let valvesAreOff = stop.closeValves(before: MonotonicClock.nanoseconds + Self.valvesNanosecondsMax)
                giveBack()
                next.begin(edge: edge, valvesAreOff: valvesAreOff)
            } catch {
                fault.first.withLock { $0 = error }
                stop.request()
            }
        }
    }

    /// Why the line could not be looked after any more.
    var failure: ServiceFailure? { fault.first.withLock(\.self).map { ServiceFailure(ofTamperLine: $0) } }

    var progress: LoopProgress { line.progress }

    func stop() {
        line.wake()
        thread.join()
    }
}

extension ServiceFailure {
    init(ofTamperLine fault: GPIOFault) {
        self.init(
            exitStatus: fault.isInSettings ? Self.configuration : Self.unavailable,
            reason: "keys.tamper: \(fault)",
            code: .pump(fault.code)
        )
    }
}
