private import Glibc
package import Metering

/// The lines of one nozzle's pump on a GPIO chip.
///
/// Inputs are one request, so that their edges come through one queue in the order in which the kernel took them;
/// outputs are another, inactive from the instant they are requested. `wait` blocks; one thread calls everything but
/// `wake`. At the end the outputs are made inactive, then the lines are released.
package final class GPIOPumpLines: PumpLines {
    /// How many edges the kernel keeps for a reader that stands still, and the most it agrees to: at the design rate
    /// of 20,000 edges a second 51 ms. Its own choice, 16 a line, loses 7 % of 2,600 edges a second to a pause of 50 ms
    /// (spec/dispenser.md, section 1). Beyond that it drops the oldest, and `line_seqno` shows the gap.
    package static let eventBufferMax = 1_024
    /// How many edges one call brings.
    package static let batchMax = 256
    /// How many it has room for at first: of a shaft that turns, seldom more than one waits.
    private static let firstBatchMax = 8
    /// How often the levels are read again because an edge came meanwhile.
    private static let levelReadsMax = 1_000

    /// The outputs that are now this process's, and inactive.
    package let held: HeldOutputs
    /// The chip's name under `/dev` and its label.
    package let chip: (name: String, label: String)
    /// Inputs first.
    package let wired: [(role: GPIORole, line: ChipLine)]

    private let inputs: LineRequest
    private let outputs: LineRequest?
    private let firstBuffer: EdgeBuffer
    private let buffer: EdgeBuffer
    private let bell: Bell
    private var inputLines: [InputLine]
    private let outputMasks: [PumpOutputs]

    package init(_ wiring: GPIOWiring) throws(GPIOFault) {
        let chip = try ChipDirectory.open(wiring.chip)
        self.chip = (chip.name, chip.label)
        let lines = try WiredLines(wiring, on: chip.survey())
        wired = lines.roles
        held = HeldOutputs(of: lines, on: chip)
        outputs = try Self.requestOutputs(lines, wiring, on: chip)
        inputs = try Self.requestInputs(lines, wiring, on: chip)
        firstBuffer = try EdgeBuffer(capacity: Self.firstBatchMax)
        buffer = try EdgeBuffer(capacity: Self.batchMax - Self.firstBatchMax)
        bell = try Bell()
        inputLines = lines.inputs.compactMap { role, line, _ in
            role.input.map { InputLine(offset: UInt32(line.offset), input: $0) }
        }
        outputMasks = wiring.outputs.compactMap(\.role.output)
    }

    deinit {
        do throws(PumpFault) {
            try set([])
        } catch {
            // Releasing the lines is all that is left to do; see <doc:0007-outputs-at-every-exit>.
        }
    }

    /// Edges that came before are in the levels, and dropped.
    package func levels() throws(PumpFault) -> PumpLevels {
        do throws(GPIOFault) {
            for _ in 0..<Self.levelReadsMax {
                let values = try inputs.values()
                guard try inputs.hasEdges() else { return levels(values) }
                for index in try 0..<inputs.readEdges(into: buffer) {
                    let edge = buffer[index]
                    inputLines[line(of: edge)].lastInLevels = edge.sequence
                }
            }
        } catch {
            throw PumpFault(reason: "\(error)")
        }
        throw PumpFault(reason: "the pulser does not stand still long enough to read its levels")
    }

    package func levelsAhead() throws(PumpFault) -> PumpLevels {
        do throws(GPIOFault) { return levels(try inputs.values()) } catch { throw PumpFault(reason: "\(error)") }
    }

    package func wait(timeoutNanoseconds: UInt64?, into edges: inout [PumpEdge]) throws(PumpFault) {
        do throws(GPIOFault) {
            guard try isReadable(timeoutMilliseconds: timeoutNanoseconds.map { ($0 + 999_999) / 1_000_000 }) else {
                return
            }
            let first = edges.count
            try read(firstBuffer, into: &edges)
            if edges.count == first + Self.firstBatchMax, try inputs.hasEdges() { try read(buffer, into: &edges) }
            Self.order(&edges, from: first)
        } catch {
            throw PumpFault(reason: "\(error)")
        }
    }

    private func read(_ buffer: borrowing EdgeBuffer, into edges: inout [PumpEdge]) throws(GPIOFault) {
        for index in try 0..<inputs.readEdges(into: buffer) { append(buffer[index], to: &edges) }
    }

    package func set(_ active: PumpOutputs) throws(PumpFault) {
        do throws(GPIOFault) {
            try outputs?.setValues(outputMasks.map { active.contains($0) })
        } catch {
            throw PumpFault(reason: "\(error)")
        }
    }

    package func wake() { bell.ring() }

    private func levels(_ values: [Bool]) -> PumpLevels {
        func isActive(_ input: PumpInput) -> Bool {
            zip(inputLines, values).contains { $0.0.input == input && $0.1 }
        }
        return PumpLevels(
            a: isActive(.pulser(.a)),
            b: isActive(.pulser(.b)),
            nozzle: isActive(.nozzle),
            emergency: isActive(.emergency)
        )
    }

    /// Waits for an edge or the bell, which it silences.
    ///
    /// - Parameter timeoutMilliseconds: nil to wait for ever.
    /// - Returns: whether there is an edge.
    ///
    /// The corresponding C function is `poll`.
    private func isReadable(timeoutMilliseconds: UInt64?) throws(GPIOFault) -> Bool {
        var waits: InlineArray<2, pollfd> = [
            pollfd(fd: inputs.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = timeoutMilliseconds.map { Int32(clamping: $0) } ?? -1
        var span = waits.mutableSpan
        // SAFETY: the function writes into the entries that it is told of, and the pointer does not leave the closure.
        let result = unsafe span.withUnsafeMutableBufferPointer { entries in
            unsafe poll(entries.baseAddress, nfds_t(entries.count), timeout)
        }
        // A signal ends the wait like the bell does.
        if result < 0, errno == EINTR { return false }
        guard result >= 0 else { throw .last("poll") }
        if waits[1].revents != 0 { bell.silence() }
        let gone = Int16(POLLERR | POLLHUP | POLLNVAL)
        guard waits[0].revents & gone == 0 else { throw .system(operation: "the GPIO chip is gone", code: ENODEV) }
        return waits[0].revents != 0
    }

    private func append(_ edge: EdgeBuffer.Edge, to edges: inout [PumpEdge]) {
        let line = inputLines[line(of: edge)]
        edges.append(
            PumpEdge(
                input: line.input,
                rising: edge.rising,
                nanoseconds: edge.nanoseconds,
                sequence: edge.sequence &- line.lastInLevels
            )
        )
    }

    private func line(of edge: EdgeBuffer.Edge) -> Int {
        guard let index = inputLines.firstIndex(where: { $0.offset == edge.offset }) else {
            preconditionFailure("the kernel reports requested lines only")
        }
        return index
    }

    /// The kernel stamps an edge in the interrupt and queues it from a thread of each line: two lines' edges can come
    /// the wrong way round.
    private static func order(_ edges: inout [PumpEdge], from first: Int) {
        guard edges.count > first + 1 else { return }
        for index in edges.indices.dropFirst(first + 1) {
            var place = index
            while place > first, edges[place - 1].nanoseconds > edges[place].nanoseconds {
                edges.swapAt(place - 1, place)
                place -= 1
            }
        }
    }
}

private struct InputLine {
    let offset: UInt32
    let input: PumpInput
    /// The kernel's number of the last edge that is in the levels.
    var lastInLevels: UInt32 = 0
}

// Opening.
extension GPIOPumpLines {
    private static func requestInputs(
        _ lines: WiredLines,
        _ wiring: GPIOWiring,
        on chip: borrowing Chip
    ) throws(GPIOFault) -> LineRequest {
        var configuration = try LineConfiguration()
        for (role, line, input) in lines.inputs {
            let isPulser = role == .pulserA || role == .pulserB
            try configuration.add(line, input, debounceMicroseconds: isPulser ? 0 : wiring.debounceMicroseconds)
        }
        return try request(configuration, lines, wiring, on: chip)
    }

    private static func requestOutputs(
        _ lines: WiredLines,
        _ wiring: GPIOWiring,
        on chip: borrowing Chip
    ) throws(GPIOFault) -> LineRequest? {
        guard !lines.outputs.isEmpty else { return nil }
        var configuration = try LineConfiguration()
        for (_, line, output) in lines.outputs {
            try configuration.add(offset: line.offset, isActiveLow: output.isActiveLow)
        }
        return try request(configuration, lines, wiring, on: chip)
    }

    private static func request(
        _ configuration: borrowing LineConfiguration,
        _ lines: WiredLines,
        _ wiring: GPIOWiring,
        on chip: borrowing Chip
    ) throws(GPIOFault) -> LineRequest {
        do throws(GPIOFault) {
            return try chip.request(configuration, consumer: wiring.consumer, eventBufferMax: eventBufferMax)
        } catch .system(_, EBUSY) {
            for (role, line) in lines.roles where configuration.offsets.contains(UInt32(line.offset)) {
                guard let holder = try chip.state(of: line.offset).holder else { continue }
                throw .lineBusy(role, line: line, chip: chip.name, consumer: holder.name)
            }
            throw .system(operation: "gpiod_chip_request_lines of \(chip.name)", code: EBUSY)
        }
    }
}

extension GPIORole {
    fileprivate var input: PumpInput? {
        switch self {
        case .pulserA: .pulser(.a)
        case .pulserB: .pulser(.b)
        case .nozzle: .nozzle
        case .emergency: .emergency
        case .motor, .mainValve, .slowValve: nil
        }
    }

    fileprivate var output: PumpOutputs? {
        switch self {
        case .motor: .motor
        case .mainValve: .mainValve
        case .slowValve: .slowValve
        case .pulserA, .pulserB, .nozzle, .emergency: nil
        }
    }
}
