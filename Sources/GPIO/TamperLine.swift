private import Glibc
package import Threads

/// Which line of a GPIO chip tells that the housing was opened.
package struct TamperWiring: Equatable, Sendable {
    /// The name that other programs see as the line's holder.
    package static let ownConsumer = "greylock-tamper"
    /// As ``GPIOWiring/chip``.
    package var chip: String
    package var line: GPIOWiring.Input
    /// How long the line must hold a level until it counts.
    package var debounceMicroseconds = 10_000

    package init(chip: String, line: GPIOWiring.Input) {
        self.chip = chip
        self.line = line
    }
}

/// The line that tells that the housing was opened.
///
/// Unchecked, because libgpiod does not say it in types: one thread at a time may wait or read, and ``wake()`` may be called by
/// any.
package final class TamperLine: @unchecked Sendable {
    private let request: LineRequest
    private let buffer: EdgeBuffer
    private let bell: Bell
    /// Of the thread that waits.
    package let progress = LoopProgress()

    package init(_ wiring: TamperWiring) throws(GPIOFault) {
        let chip = try ChipDirectory.open(wiring.chip)
        let line = try chip.survey().line(at: wiring.line.place)
        var configuration = try LineConfiguration()
        try configuration.add(line, wiring.line, debounceMicroseconds: wiring.debounceMicroseconds)
        do throws(GPIOFault) {
            request = try chip.request(configuration, consumer: TamperWiring.ownConsumer, eventBufferMax: 0)
        } catch .system(_, EBUSY) {
            let holder = try chip.state(of: line.offset).holder
            throw .otherLineBusy(line: line, chip: chip.name, consumer: holder?.name)
        }
        buffer = try EdgeBuffer(capacity: 16)
        bell = try Bell()
    }

    /// Now.
    package func isActive() throws(GPIOFault) -> Bool { try request.values() == [true] }

    /// Waits until the line becomes active, however short a time it is so; one that is active already is so from now on.
    ///
    /// - Returns: when it did, on the kernel's monotonic clock; nil when it was woken.
    package func waitUntilActive() throws(GPIOFault) -> UInt64? {
        if try isActive() { return MonotonicClock.nanoseconds }
        while true {
            var waits = [request.descriptor, bell.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            progress.waits()
            let result = unsafe poll(&waits, nfds_t(waits.count), LoopProgress.waitMillisecondsMax)
            progress.works()
            if result == 0 || result < 0 && errno == EINTR { continue }
            guard result > 0 else { throw .last("poll") }
            guard waits[1].revents == 0 else { return nil }
            guard waits[0].revents & Int16(POLLERR | POLLHUP | POLLNVAL) == 0 else {
                throw .system(operation: "the GPIO chip is gone", code: ENODEV)
            }
            for index in try 0..<request.readEdges(into: buffer) where buffer[index].rising {
                return buffer[index].nanoseconds
            }
        }
    }

    package func wake() { bell.ring() }
}
