import Glibc
import Station

/// A program that does what is measured here in another way.
struct Peer {
    /// What one round took, and what the peer says of it.
    typealias Round = (nanoseconds: UInt64, words: [String])

    private let name: String
    private let command: [String]

    /// In C, compiled for this run.
    ///
    /// - Parameters:
    ///   - name: of the source, without its ending.
    ///   - sources: the folder that has it.
    ///   - library: as pkg-config knows it; nil when it needs none.
    init(_ name: String, from sources: String, library: String? = nil, into folder: TemporaryFolder) throws {
        self.name = "\(name).c"
        let program = folder.path + "/" + name
        command = [program]
        let flags = library.map { "$(pkg-config --cflags --libs \($0))" } ?? ""
        let compile = "cc -O2 -o '\(program)' '\(sources)/\(name).c' \(flags) 2>&1"
        guard let compiler = ChildProcess(["sh", "-c", compile], reading: STDOUT_FILENO), compiler.wait() == 0 else {
            throw PeerFault("\(name).c does not compile (gcc\(library.map { ", \($0)" } ?? ""))")
        }
    }

    /// In Python, by the interpreter that `GREYLOCK_PYTHON` names, which has the packages of the peers.
    ///
    /// - Parameter name: of the script, without its ending.
    init(python name: String, from sources: String) throws {
        guard let python = unsafe getenv("GREYLOCK_PYTHON") else {
            throw PeerFault("GREYLOCK_PYTHON names no interpreter with psec: board/measure installs one")
        }
        self.name = "\(name).py"
        // SAFETY: the text is copied, and nothing in this program changes the environment.
        command = unsafe [String(cString: python), "\(sources)/\(name).py"]
    }

    /// - Returns: the words of each line that it wrote, when it has ended well.
    func run(_ arguments: [String]) throws -> [[String]] {
        guard let child = ChildProcess(command + arguments, reading: STDOUT_FILENO) else {
            throw PeerFault("\(name) does not start")
        }
        var lines: [[String]] = []
        while let line = child.line() { lines.append(line.split(separator: " ").map(String.init)) }
        guard child.wait() == 0 else { throw PeerFault("\(name) does not run to its end") }
        return lines
    }

    /// Runs a peer that writes a line for each of `count` rounds; the count is its last argument.
    func time(_ arguments: String..., count: Int) throws -> [Round] {
        let rounds = try run(arguments + ["\(count)"]).compactMap { line in
            line.first.flatMap { UInt64($0) }.map { Round(nanoseconds: $0, words: Array(line.dropFirst())) }
        }
        guard rounds.count == count else { throw PeerFault("\(name) does not time \(count) rounds") }
        return rounds
    }
}

struct PeerFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
