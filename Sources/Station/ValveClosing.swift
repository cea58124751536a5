import Codes
import Configuration
package import GPIO
package import Threads

/// The unit's stop action: switches off what the service held, as it noted it itself, and what the configuration names. It
/// needs neither of the two: the configuration may have been edited since, and be wrong (decision record 0024).
package struct ValveClosing {
    private let configuration: String
    private let held: HeldOutputsFile?
    private let say: (String) -> Void

    /// - Parameters:
    ///   - configuration: its path.
    ///   - held: nil outside a unit.
    ///   - say: takes a line for each thing that was done or was not possible.
    package init(configuration: String, held: HeldOutputsFile?, say: @escaping (String) -> Void) {
        self.configuration = configuration
        self.held = held
        self.say = say
    }

    /// - Throws: when an output that is known could not be switched off, or none is known for a wrong configuration.
    package func run() throws(ServiceFailure) {
        let noted = noted
        var configured: [HeldOutputs] = []
        var failure: ServiceFailure?
        do throws(ServiceFailure) { try addConfigured(to: &configured) } catch {
            say("the configuration cannot be followed: \(error.reason)")
            if noted == nil { failure = error }
        }
        var closed: [ClosedOutput] = []
        for outputs in noted ?? [] { close(outputs, "as the service noted", &closed, &failure) }
        for outputs in configured where !(noted ?? []).contains(outputs) {
            close(outputs, "as the configuration says", &closed, &failure)
        }
        if let failure { throw failure }
    }

    private var noted: [HeldOutputs]? {
        switch held?.read() {
        case .held(let outputs): return outputs
        case .unreadable(let reason):
            say("\(held?.path ?? ""): \(reason)")
            return nil
        case .absent, nil: return nil
        }
    }

    /// None for a pump without lines, and for one whose chip is not there: nothing drives lines of it.
    ///
    /// - Throws: when a chip does not say what it is, once what the others are has been added.
    private func addConfigured(to outputs: inout [HeldOutputs]) throws(ServiceFailure) {
        var failure: ServiceFailure?
        let configuration = try Service.configuration(at: configuration)
        for side in configuration.sides {
            guard case .gpio(let wiring) = side.pump else { continue }
            do throws(GPIOFault) {
                outputs.append(try HeldOutputs(of: wiring))
            } catch .noSuchChip(let chip, let present) {
                say("nothing to close, as the configuration says: \(GPIOFault.noSuchChip(chip, present: present))")
            } catch {
                failure = ServiceFailure(
                    exitStatus: ServiceFailure.unavailable,
                    reason: "pump: \(error)",
                    code: .pump(error.code)
                ).of(side, on: configuration)
            }
        }
        if let failure { throw failure }
    }

    /// What is closed stays held until everything is: a line in both lists is taken once.
    private func close(
        _ outputs: HeldOutputs,
        _ source: String,
        _ closed: inout [ClosedOutput],
        _ failure: inout ServiceFailure?
    ) {
        let open = outputs.lines.filter { line in
            !closed.contains { $0.label == outputs.label && $0.chip == outputs.chip && $0.line.offset == line.offset }
        }
        let result = HeldOutputs(chip: outputs.chip, label: outputs.label, lines: open).close()
        closed += result.closed
        if let first = result.closed.first {
            let lines = result.closed.map { "\($0.line)" }.joined(separator: ", ")
            say("closed, \(source): lines \(lines) of \(first.chip) (\(first.label))")
        }
        for fault in result.faults {
            say("not closed, \(source): \(fault)")
            failure = ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "not every output is off: \(fault)",
                code: .pump(fault.code)
            )
        }
    }
}
