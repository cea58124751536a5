package import CardApplication
import CardCryptography

/// A card's memory that a test can make fail, and that remembers what a restart would read.
package final class TestMemory: CardMemory {
    package enum Failure: Sendable {
        case none
        /// The commit throws and a restart reads the image before.
        case beforeWriting
        /// The commit throws and a restart reads the new image.
        case afterWriting
    }

    package private(set) var image: [UInt8]
    /// Those that succeeded.
    package private(set) var commits = 0
    /// Those that were wanted: what one sees who watches the card's supply.
    package var attempts = 0
    package var failure = Failure.none
    /// How many commits still succeed before ``failure`` comes.
    package var commitsBeforeFailure = 0
    /// Nothing is written any more after a failure, until ``restorePower()``.
    private var hasFailed = false
    /// What the last commit wanted to write, whether it succeeded or not.
    package private(set) var lastAttempt: [UInt8] = []
    /// Written before this memory is, when there is one; its failure is the commit's.
    package var backing: (any CardMemory)?

    package init(image: [UInt8]) { self.image = image }

    package func commit(_ image: [UInt8]) throws(CardMemoryFailure) {
        lastAttempt = image
        attempts += 1
        if hasFailed { throw CardMemoryFailure(reason: "the power is off") }
        try backing?.commit(image)
        if failure == .none || commitsBeforeFailure > 0 {
            commitsBeforeFailure = max(0, commitsBeforeFailure - 1)
            self.image = image
            commits += 1
            return
        }
        hasFailed = true
        if failure == .afterWriting { self.image = image }
        throw CardMemoryFailure(reason: "the test wants it")
    }

    package func read() throws(CardMemoryFailure) -> [UInt8] {
        if let kept = try backing?.read() { kept } else { image }
    }

    /// It fails no more.
    package func restorePower() {
        failure = .none
        hasFailed = false
    }
}

/// Yields the given bytes in order, and when they are used up a count.
package final class ScriptedRandom: RandomSource {
    private var script: [UInt8]
    private var counter: UInt8 = 0

    package init(_ script: [UInt8] = []) { self.script = script }

    package func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            guard script.isEmpty else { return script.removeFirst() }
            counter &+= 1
            return counter
        }
    }
}
