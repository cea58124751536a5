import Glibc
import Station

/// A peer in C, compiled for this run.
struct CPeer {
    /// What one round took, and what the peer says of it.
    typealias Round = (nanoseconds: UInt64, words: [String])

    private let name: String
    private let program: String

    /// - Parameters:
    ///   - name: of the source, without its ending.
    ///   - sources: the folder that has it.
    ///   - library: as pkg-config knows it; nil when it needs none.
    init(_ name: String, from sources: String, library: String? = nil, into folder: TemporaryFolder) throws {
        self.name = name
        program = folder.path + "/" + name
        let flags = library.map { "$(pkg-config --cflags --libs \($0))" } ?? ""
        let command = "cc -O2 -o '\(program)' '\(sources)/\(name).c' \(flags) 2>&1"
        guard let compiler = ChildProcess(["sh", "-c", command], reading: STDOUT_FILENO), compiler.wait() == 0 else {
            throw PeerFault("\(name).c does not compile (gcc\(library.map { ", \($0)" } ?? ""))")
        }
    }

    /// - Returns: the words of each line that it wrote, when it has ended well.
    func run(_ arguments: [String]) throws -> [[String]] {
        guard let child = ChildProcess([program] + arguments, reading: STDOUT_FILENO) else {
            throw PeerFault("\(name).c does not start")
        }
        var lines: [[String]] = []
        while let line = child.line() { lines.append(line.split(separator: " ").map(String.init)) }
        guard child.wait() == 0 else { throw PeerFault("\(name).c does not run to its end") }
        return lines
    }

    /// Runs a peer that writes a line for each of `count` rounds; the count is its last argument.
    func time(_ arguments: String..., count: Int) throws -> [Round] {
        let rounds = try run(arguments + ["\(count)"]).compactMap { line in
            line.first.flatMap { UInt64($0) }.map { Round(nanoseconds: $0, words: Array(line.dropFirst())) }
        }
        guard rounds.count == count else { throw PeerFault("\(name).c does not time \(count) rounds") }
        return rounds
    }
}

struct PeerFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
