import CardCryptography
import Foundation
import KeyBlocks
import Testing

/// Random blocks that we make open with the Python package psec, and its with ours.
@Suite(.enabled(if: Peer.isThere, Peer.absence)) struct PeerTests {
    private static let blocks = 1_000

    @Test func opensWhatWeWrap() throws {
        let samples = try (0..<Self.blocks).map { _ in try Sample() }
        let answers = try Peer.answers(
            try samples.map {
                let block = try $0.transport().wrap(
                    LockedBuffer(hexadecimal: $0.key),
                    $0.header,
                    random: SystemRandom()
                )
                return "unwrap \($0.transportKey) \(block)"
            }
        )
        try #require(answers.count == samples.count)
        for (sample, answer) in zip(samples, answers) { #expect(answer == "\(sample.key) \(sample.label)") }
    }

    @Test func wrapsWhatWeOpen() throws {
        let samples = try (0..<Self.blocks).map { _ in try Sample() }
        let answers = try Peer.answers(
            samples.map { "wrap \($0.transportKey) \($0.headerWord) \($0.key) \($0.label)" }
        )
        try #require(answers.count == samples.count)
        for (sample, answer) in zip(samples, answers) {
            let unwrapped = try sample.transport().unwrap(answer)
            #expect(unwrapped.header == sample.header)
            let isTheKey = unwrapped.key.isEqual(to: LockedBuffer(hexadecimal: sample.key))
            #expect(isTheKey)
        }
    }
}

/// One block's content, of a version, lengths and fields that chance picks.
private struct Sample {
    let version: KeyBlockHeader.Version
    let transportKey: String
    let key: String
    let label: String
    let header: KeyBlockHeader

    init() throws {
        version = try #require([.a, .b, .c, .d].randomElement())
        transportKey = Self.hexadecimal(try #require(version.cipher.keyLengths.randomElement()))
        let algorithm = try #require(Array("TAH").randomElement())
        key = Self.hexadecimal(try #require((algorithm == "T" ? [8, 16, 24] : [16, 24, 32]).randomElement()))
        label = String((0..<Int.random(in: 1...40)).map { _ in Array("ABCXYZ019/-.")[Int.random(in: 0..<12)] })
        header = KeyBlockHeader(
            version: version,
            usage: try #require(["E6", "K1", "M7", "B3"].randomElement()),
            algorithm: algorithm,
            mode: try #require(Array("XNCB").randomElement()),
            keyVersion: try #require(["00", "01", "7F", "A9"].randomElement()),
            exportability: try #require(Array("ENS").randomElement()),
            blocks: [OptionalBlock("LB", label)]
        )
    }

    var headerWord: String {
        "\(version.rawValue)\(header.usage)\(header.algorithm)\(header.mode)\(header.keyVersion)\(header.exportability)"
    }

    func transport() -> TransportKey { TransportKey(version.cipher, LockedBuffer(hexadecimal: transportKey)) }

    private static func hexadecimal(_ count: Int) -> String {
        SystemRandom().bytes(count).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            .uppercased()
    }
}

/// psec, under the Python that GREYLOCK_PYTHON names.
private enum Peer {
    static let absence: Comment =
        "no Python with psec: board/test names one in GREYLOCK_PYTHON; GREYLOCK_REQUIRE=psec makes this a failure"

    private static let environment = ProcessInfo.processInfo.environment
    private static let python = environment["GREYLOCK_PYTHON"]

    static var isThere: Bool {
        python != nil || (environment["GREYLOCK_REQUIRE"] ?? "").split(separator: ",").contains("psec")
    }

    static func answers(_ questions: [String]) throws -> [String] {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = [URL(filePath: #filePath).deletingLastPathComponent().appending(path: "psec_peer.py").path]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        let text = Data((questions.joined(separator: "\n") + "\n").utf8)
        let writer = Thread {
            do {
                try input.fileHandleForWriting.write(contentsOf: text)
                try input.fileHandleForWriting.close()
            } catch {
                Issue.record(error)
            }
        }
        writer.start()
        let answers = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: answers, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
