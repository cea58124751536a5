/// Which lines of one GPIO chip a nozzle's pump hangs on.
package struct GPIOWiring: Equatable, Sendable {
    /// The path of a chip, `/dev/gpiochip0`, its name, `gpiochip0`, or its label.
    package var chip: String
    package var pulserA: Input
    /// nil for a pulser with one channel.
    package var pulserB: Input?
    /// Active while the nozzle is lifted.
    package var nozzle: Input
    package var emergency: Input?
    package var motor: Output?
    package var mainValve: Output?
    package var slowValve: Output?
    /// How long the nozzle and emergency lines must hold a level until it counts. The pulser is never debounced.
    package var debounceMicroseconds: Int
    /// The name that other programs see as the holder of the lines; the kernel keeps 31 bytes of it.
    package var consumer = ownConsumer
    /// Of a service, and of a calibration.
    package static let ownConsumer = "greylock"

    package struct Input: Equatable, Sendable {
        package var place: LinePlace
        package var isActiveLow: Bool
        package var bias: Bias

        package init(_ place: LinePlace, isActiveLow: Bool = false, bias: Bias = .asIs) {
            self.place = place
            self.isActiveLow = isActiveLow
            self.bias = bias
        }

        package init(offset: Int, isActiveLow: Bool = false, bias: Bias = .asIs) {
            self.init(.offset(offset), isActiveLow: isActiveLow, bias: bias)
        }
    }

    package struct Output: Equatable, Sendable {
        package var place: LinePlace
        package var isActiveLow: Bool

        package init(_ place: LinePlace, isActiveLow: Bool = false) {
            self.place = place
            self.isActiveLow = isActiveLow
        }

        package init(offset: Int, isActiveLow: Bool = false) { self.init(.offset(offset), isActiveLow: isActiveLow) }
    }

    /// The resistor inside the chip that holds an open input.
    package enum Bias: String, CaseIterable, Sendable {
        /// As the board's firmware left it.
        case asIs = "as-is"
        case disabled
        case pullUp = "pull-up"
        case pullDown = "pull-down"
    }

    package init(
        chip: String,
        pulserA: Input,
        pulserB: Input?,
        nozzle: Input,
        emergency: Input? = nil,
        motor: Output? = nil,
        mainValve: Output? = nil,
        slowValve: Output? = nil,
        debounceMicroseconds: Int = 10_000
    ) {
        self.chip = chip
        self.pulserA = pulserA
        self.pulserB = pulserB
        self.nozzle = nozzle
        self.emergency = emergency
        self.motor = motor
        self.mainValve = mainValve
        self.slowValve = slowValve
        self.debounceMicroseconds = debounceMicroseconds
    }
}

/// What a line is for.
package enum GPIORole: String, CaseIterable, Sendable {
    case pulserA = "pulser A"
    case pulserB = "pulser B"
    case nozzle
    case emergency
    case motor
    case mainValve = "main valve"
    case slowValve = "slow-flow valve"
}

extension GPIOWiring {
    package var inputs: [(role: GPIORole, line: Input)] {
        let lines: [(GPIORole, Input?)] = [
            (.pulserA, pulserA), (.pulserB, pulserB), (.nozzle, nozzle), (.emergency, emergency),
        ]
        return lines.compactMap { role, line in line.map { (role, $0) } }
    }

    package var outputs: [(role: GPIORole, line: Output)] {
        let lines: [(GPIORole, Output?)] = [(.motor, motor), (.mainValve, mainValve), (.slowValve, slowValve)]
        return lines.compactMap { role, line in line.map { (role, $0) } }
    }

    /// Every wired line, inputs first.
    package var places: [(role: GPIORole, place: LinePlace)] {
        inputs.map { ($0.role, $0.line.place) } + outputs.map { ($0.role, $0.line.place) }
    }
}
