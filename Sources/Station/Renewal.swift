import Codes
import Configuration
import Console
import Dispenser
import Files
private import Glibc
package import Logging
private import Synchronization
import Threads

/// Lets what is new of this service take its place: the program's file, its libraries, the configuration. It ends once nobody is
/// served at any side, and what watches it begins it anew (<doc:0063-taking-over>).
///
/// Asked by SIGHUP. By itself it looks for libraries alone, which are exchanged without a word to the service.
package final class Renewal: Sendable {
    /// Between two looks for libraries that were exchanged.
    private static let lookNanoseconds: UInt64 = 3_600_000_000_000
    /// So long it waits for all sides to be without a customer at once; then for as long no other begins.
    static let patienceNanoseconds: UInt64 = 600_000_000_000
    private static let mappingsBytesMax = 1 << 20
    /// A program that is asked whether it could serve has two minutes.
    private static let workingNanosecondsMax: UInt64 = 180_000_000_000

    private let path: String
    private let check: [String]?
    private let log: Logger
    private let woken = MonotonicSemaphore()
    private let isAsked = Atomic(false)
    private let isStopping = Atomic(false)
    private let thread: Mutex<NamedThread?> = Mutex(nil)
    private let progress = LoopProgress()

    /// - Parameters:
    ///   - path: of the configuration.
    ///   - check: the arguments with which this program, in its new version, says whether it could serve; nil where it cannot be asked.
    package init(_ path: String, check: [String]?, log: Logger) {
        (self.path, self.check, self.log) = (path, check, log)
    }

    /// Any thread may ask, also before the service runs.
    package func ask() {
        isAsked.store(true, ordering: .releasing)
        woken.signal()
    }

    func visitEnded() { woken.signal() }

    /// What the watchdog looks after.
    var loop: WatchedLoop {
        WatchedLoop("the renewal's thread", progress, workingNanosecondsMax: Self.workingNanosecondsMax)
    }

    /// - Parameters:
    ///   - end: ends the service.
    ///   - tell: the sides look at their orders again.
    func begin(
        _ configuration: Configuration,
        _ orders: StandingOrders,
        tell: @escaping @Sendable () -> Void,
        end: @escaping @Sendable () -> Void
    ) {
        progress.works()
        thread.withLock {
            $0 = NamedThread("renewal") { [self] in
                run(configuration, orders, tell: tell, end: end)
                progress.ends()
            }
        }
    }

    /// Returns when the thread has ended. Stopped already, it does nothing.
    func stop() {
        let running = thread.withLock { $0.take() }
        guard let running else { return }
        isStopping.store(true, ordering: .releasing)
        woken.signal()
        running.join()
    }

    private var stops: Bool { isStopping.load(ordering: .acquiring) }

    private func run(
        _ configuration: Configuration,
        _ orders: StandingOrders,
        tell: () -> Void,
        end: () -> Void
    ) {
        var next = MonotonicClock.nanoseconds + Self.lookNanoseconds
        while !stops {
            let isOver = !woken.wait(until: next, showing: progress)
            let wasAsked = isAsked.exchange(false, ordering: .acquiring)
            guard !stops, wasAsked || isOver else { continue }
            next = MonotonicClock.nanoseconds + Self.lookNanoseconds
            guard let change = self.change(wasAsked, configuration) else { continue }
            log.notice(
                .service(.takesOverSoon),
                "a new version takes over when nobody is served",
                metadata: ["new": "\(change)"]
            )
            let somebodyIsServed = !orders.isAtRest
            guard awaitRest(orders, tell) else { return }
            // Meanwhile somebody may have gone on editing.
            guard !somebodyIsServed || self.change(wasAsked, configuration) != nil else {
                orders.makeWay(false)
                tell()
                // Somebody may have asked again meanwhile.
                woken.signal()
                continue
            }
            log.notice(.service(.takesOver), "nobody is served: the new version begins")
            return end()
        }
    }

    /// What is to take over; nil for nothing, and for what would not serve, which is said.
    private func change(_ wasAsked: Bool, _ configuration: Configuration) -> String? {
        guard let change = wasAsked ? asked(configuration) : Self.exchangedLibrary, couldServe() else { return nil }
        return change
    }

    private func couldServe() -> Bool {
        guard let check, let program = Self.program else { return true }
        guard let refusal = ProgramCheck.refusal(of: program, check, unless: { stops }) else { return true }
        log.error(.service(.takesOverRefused), "\(refusal): the service goes on as it is")
        return false
    }

    /// By turns it lets customers come and lets none begin: a side that never comes to rest, because its card keeps its reader, closes
    /// the others for no longer than they sold.
    ///
    /// - Returns: false when the service stops for another reason.
    func awaitRest(
        _ orders: StandingOrders,
        _ tell: () -> Void,
        patienceNanoseconds: UInt64 = Renewal.patienceNanoseconds
    ) -> Bool {
        while !stops {
            for makesWay in [false, true] {
                orders.makeWay(makesWay)
                tell()
                let patience = MonotonicClock.nanoseconds + patienceNanoseconds
                while !orders.isAtRest, !stops, MonotonicClock.nanoseconds < patience {
                    _ = woken.wait(until: patience, showing: progress)
                }
                if stops { return false }
                // A visit that begins meanwhile sees it.
                orders.makeWay(true)
                if orders.isAtRest { return true }
            }
        }
        return false
    }

    /// What is to take over; nil for nothing, which is said.
    private func asked(_ configuration: Configuration) -> String? {
        var changes: [String] = []
        do throws(ConfigurationError) {
            if try Configuration.load(path: path).source != configuration.source { changes.append(path) }
        } catch {
            log.error(
                .service(.configurationRefused),
                "\(path) is refused, and the service goes on with what it was: \(error)"
            )
            return nil
        }
        if let file = Self.exchangedFile { changes.append(file) }
        if changes.isEmpty {
            log.notice(.service(.nothingNew), "SIGHUP: program, libraries and configuration are what they were")
        }
        return changes.isEmpty ? nil : changes.joined(separator: ", ")
    }

    private static var exchangedLibrary: String? { exchanged { $0 != program } }
    private static var exchangedFile: String? { exchanged { _ in true } }

    private static var program: String? {
        do throws(FileFault) { return try ProgramIdentity.pathOfThisProcess() } catch { return nil }
    }

    /// Code of this process whose file has another one in its place by now, or none (proc_pid_maps(5)).
    private static func exchanged(_ isMeant: (String) -> Bool) -> String? {
        let bytes: [UInt8]?
        do throws(FileFault) { bytes = try WholeFile.contents("/proc/self/maps", bytesMax: mappingsBytesMax) } catch {
            return nil
        }
        let gone = " (deleted)"
        for row in String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n") {
            let words = row.split(separator: " ", maxSplits: 5)
            guard words.count == 6, words[1].hasPrefix("r-x"), words[5].hasSuffix(gone) else { continue }
            let path = words[5].dropLast(gone.count).drop { $0 == " " }
            if path.hasPrefix("/"), !path.hasPrefix("/memfd:"), isMeant(String(path)) { return String(path) }
        }
        return nil
    }
}
