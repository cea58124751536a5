private import Glibc
private import Threads

/// Input lines of one chip that are looked at to see which one moves. Nothing is driven.
///
/// A line by itself is requested, so that one that cannot be had keeps no other from it. One thread uses it.
package final class LineWatch {
    /// The name that other programs see as the holder of the lines.
    package static let consumer = "greylock lines"

    /// A line, and what holds it while it is looked at.
    package struct Wanted: Sendable {
        package let line: ChipLine
        package let bias: GPIOWiring.Bias

        /// - Parameter bias: of a line whose role is known. An unknown one stays as it is: the pull of the chip on what may be a valve's
        ///   line could open it.
        package init(_ line: ChipLine, bias: GPIOWiring.Bias = .asIs) { (self.line, self.bias) = (line, bias) }
    }

    package struct Edge: Equatable, Sendable {
        package let line: ChipLine
        /// The level on the wire, whatever counts as active.
        package let rising: Bool
        package let nanoseconds: UInt64

        package init(line: ChipLine, rising: Bool, nanoseconds: UInt64) {
            (self.line, self.rising, self.nanoseconds) = (line, rising, nanoseconds)
        }
    }

    /// Those that are looked at.
    package var lines: [ChipLine] { watched.map(\.line) }
    /// Those that could not be had.
    package let refused: [(line: ChipLine, fault: GPIOFault)]
    private let watched: [Watched]
    private let buffer: EdgeBuffer

    private final class Watched {
        let line: ChipLine
        let request: LineRequest

        init(_ line: ChipLine, _ request: consuming LineRequest) {
            self.line = line
            self.request = request
        }
    }

    /// - Parameter chip: as ``GPIOWiring/chip``.
    package init(_ wanted: [Wanted], on chip: String) throws(GPIOFault) {
        let chip = try ChipDirectory.open(chip)
        var watched: [Watched] = []
        var refused: [(ChipLine, GPIOFault)] = []
        for wanted in wanted {
            do throws(GPIOFault) {
                // Since it was surveyed it may have become somebody's output.
                let state = try chip.state(of: wanted.line.offset)
                guard state.holder == nil, !state.isOutput else {
                    throw .otherLineBusy(line: wanted.line, chip: chip.name, consumer: state.holder?.name)
                }
                var configuration = try LineConfiguration()
                let input = GPIOWiring.Input(offset: wanted.line.offset, bias: wanted.bias)
                try configuration.add(wanted.line, input, debounceMicroseconds: 0)
                let request = try chip.request(configuration, consumer: Self.consumer, eventBufferMax: 0)
                watched.append(Watched(wanted.line, request))
            } catch {
                refused.append((wanted.line, error))
            }
        }
        self.watched = watched
        self.refused = refused
        buffer = try EdgeBuffer(capacity: 64)
    }

    /// What moved, as it came on each line. Blocks until something did, and at most so long.
    package func edges(withinMilliseconds limit: Int32) throws(GPIOFault) -> [Edge] {
        var waits = watched.map { pollfd(fd: $0.request.descriptor, events: Int16(POLLIN), revents: 0) }
        let result = unsafe poll(&waits, nfds_t(waits.count), limit)
        if result < 0, errno == EINTR { return [] }
        guard result >= 0 else { throw .last("poll") }
        var edges: [Edge] = []
        for (wait, watched) in zip(waits, watched) where wait.revents != 0 {
            guard wait.revents & Int16(POLLERR | POLLHUP | POLLNVAL) == 0 else {
                throw .system(operation: "the GPIO chip is gone", code: ENODEV)
            }
            for index in try 0..<watched.request.readEdges(into: buffer) {
                let edge = buffer[index]
                edges.append(Edge(line: watched.line, rising: edge.rising, nanoseconds: edge.nanoseconds))
            }
        }
        return edges
    }
}

/// Edges, put together to movements: a switch bounces, and a pulser gives hundreds a second.
package struct LineMovements: Sendable {
    /// A line that stood still so long has moved.
    package static let quietNanoseconds: UInt64 = 100_000_000
    /// One that does not stand still is told of so often.
    package static let tellingNanoseconds: UInt64 = 1_000_000_000

    package struct Movement: Equatable, Sendable {
        package let line: ChipLine
        /// Of edges.
        package let count: Int
        /// Its level now.
        package let isHigh: Bool

        package init(line: ChipLine, count: Int, isHigh: Bool) {
            (self.line, self.count, self.isHigh) = (line, count, isHigh)
        }
    }

    private struct Moving {
        let line: ChipLine
        let first: UInt64
        var last: UInt64
        var count: Int
        var isHigh: Bool
    }

    /// In the order in which they began to move.
    private var moving: [Moving] = []

    package init() {}

    package mutating func take(_ edge: LineWatch.Edge) {
        guard let index = moving.firstIndex(where: { $0.line == edge.line }) else {
            moving.append(
                Moving(
                    line: edge.line,
                    first: edge.nanoseconds,
                    last: edge.nanoseconds,
                    count: 1,
                    isHigh: edge.rising
                )
            )
            return
        }
        moving[index].last = edge.nanoseconds
        moving[index].count += 1
        moving[index].isHigh = edge.rising
    }

    /// Those that can be told of by now, on the edges' clock; each once.
    package mutating func told(at now: UInt64) -> [Movement] {
        func isDue(_ line: Moving) -> Bool {
            now >= line.last + Self.quietNanoseconds || now >= line.first + Self.tellingNanoseconds
        }
        let due = moving.filter(isDue)
        moving.removeAll(where: isDue)
        return due.map { Movement(line: $0.line, count: $0.count, isHigh: $0.isHigh) }
    }
}
