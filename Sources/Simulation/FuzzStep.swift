/// One act of a fuzzed card's surroundings. A step is a pure value, so that a sequence can be shortened and played again;
/// which bytes it becomes depends on what the card answered before.
package struct FuzzStep: Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case reset, restart, cut, replay, noise
        case select, verify, verifyWrong, readBinary, readRecord, getChallenge, externalAuthenticate
        case internalAuthenticate, changePIN, reloadPIN, unblockPIN, block, unblock, getBalance, prove
        case beginLoad, credit, beginPurchase, beginCash, debitPurchase, beginUnload, debitUnload, beginUpdate
        case updateLimit, beginPetrol, lock, debitPetrol, beginUnlock, debitUnlock, greyStatus
    }

    package enum Mutation: Equatable, Sendable {
        case none
        case flip(bit: Int)
        case truncate(Int)
        case append(UInt8)
        case set(Int, UInt8)
    }

    package let kind: Kind
    /// Chooses an amount, a length, a number: what the step needs.
    package let choice: UInt32
    package let mutation: Mutation

    func apply(to bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        var bytes = bytes
        switch mutation {
        case .none: break
        case .flip(let bit): bytes[bit / 8 % bytes.count] ^= 1 << (bit % 8)
        case .truncate(let count): bytes.removeLast(count % bytes.count)
        case .append(let byte): bytes.append(byte)
        case .set(let place, let byte): bytes[place % bytes.count] = byte
        }
        return bytes
    }
}

/// Draws steps: whole transactions with something wrong now and then, and single steps between them.
struct FuzzGenerator {
    private static let flows: [[FuzzStep.Kind]] = [
        [.select, .verify],
        [.select, .verify, .beginLoad, .credit],
        [.beginLoad, .credit],
        [.select, .verify, .beginPurchase, .debitPurchase, .prove],
        [.beginPurchase, .debitPurchase],
        [.beginCash, .debitPurchase],
        [.verify, .beginUnload, .debitUnload],
        [.verify, .beginUpdate, .updateLimit],
        [.select, .verify, .beginPetrol, .lock, .debitPetrol],
        [.beginPetrol, .lock, .reset, .select, .verify, .debitPetrol],
        [.beginPetrol, .lock, .select, .verify, .greyStatus, .debitPetrol, .prove],
        [.select, .verify, .beginPetrol, .lock, .beginUnlock, .debitUnlock],
        [.beginPetrol, .lock, .restart, .select, .verify, .beginUnlock, .beginUnlock, .debitUnlock],
        [.getChallenge, .externalAuthenticate],
        [.getChallenge, .block, .getChallenge, .unblock],
        [.getChallenge, .unblockPIN, .verify],
        [.changePIN, .verify], [.reloadPIN, .verify],
        [.select, .verify, .beginLoad, .replay, .credit, .replay],
        [.beginPetrol, .lock, .debitPetrol, .replay],
        [.verifyWrong, .verify],
        [.select, .cut, .verify],
        [.cut, .verifyWrong, .select, .verify],
        [.select, .cut, .changePIN], [.select, .cut, .reloadPIN],
        [.getChallenge, .cut, .unblockPIN], [.getChallenge, .cut, .externalAuthenticate],
        [.getChallenge, .cut, .block, .select, .getChallenge, .unblock],
        [.select, .verify, .beginPetrol, .cut, .lock, .select, .verify, .debitPetrol],
        [.select, .verify, .beginPetrol, .lock, .cut, .debitPetrol, .select, .verify, .debitPetrol],
        [.select, .verify, .beginLoad, .cut, .credit],
    ]

    private var numbers: SplitMix64

    init(seed: UInt64) { numbers = SplitMix64(state: seed) }

    mutating func steps(_ count: Int) -> [FuzzStep] {
        var steps: [FuzzStep] = []
        while steps.count < count {
            if numbers.below(4) == 0 {
                steps.append(step(FuzzStep.Kind.allCases[numbers.below(FuzzStep.Kind.allCases.count)]))
            } else {
                for kind in Self.flows[numbers.below(Self.flows.count)] {
                    if numbers.below(24) == 0 { continue }
                    steps.append(step(kind))
                }
            }
        }
        return steps
    }

    private mutating func step(_ kind: FuzzStep.Kind) -> FuzzStep {
        FuzzStep(kind: kind, choice: UInt32(truncatingIfNeeded: numbers.next()), mutation: mutation())
    }

    private mutating func mutation() -> FuzzStep.Mutation {
        guard numbers.below(14) == 0 else { return .none }
        return switch numbers.below(5) {
        case 0, 1: .flip(bit: numbers.below(2_048))
        case 2: .truncate(1 + numbers.below(12))
        case 3: .append(UInt8(truncatingIfNeeded: numbers.next()))
        case _: .set(numbers.below(40), UInt8(truncatingIfNeeded: numbers.next()))
        }
    }
}
