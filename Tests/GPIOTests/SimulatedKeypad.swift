import CardCryptography
import Foundation
import Glibc
import Synchronization
import TestPrograms

@testable import Keypad

/// The program `board/bench/keypad.py`: a keypad of the kernel's uinput.
final class SimulatedKeypad {
    /// Its path that stays the same, as udev makes it.
    let path: String
    private let process: StartedProcess
    private let (commands, answers) = (Pipe(), Pipe())

    /// - Parameter link: the last part of its path.
    init(_ link: String, called name: String = "Test Keypad") throws {
        path = "/dev/input/by-path/\(link)-event-kbd"
        var program = URL(fileURLWithPath: #filePath)
        for _ in ["SimulatedKeypad.swift", "GPIOTests", "Tests"] { program.deleteLastPathComponent() }
        process = try StartedProcess(
            ["/usr/bin/env", "python3", "-B", program.appending(path: "board/bench/keypad.py").path, path, name],
            input: commands.fileHandleForReading.fileDescriptor,
            output: answers.fileHandleForWriting.fileDescriptor
        )
        try answers.fileHandleForWriting.close()
        try commands.fileHandleForReading.close()
    }

    deinit { unsafe unlink(path) }

    /// Returns when it is done, what it answered.
    @discardableResult
    func tell(_ command: String) throws -> String {
        try commands.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
        let patience = Patience()
        var answer = ""
        while !answer.hasSuffix("\n") {
            guard patience.awaitInput(of: answers.fileHandleForReading.fileDescriptor) else {
                throw OutOfPatience("\(command) of the keypad")
            }
            let bytes = answers.fileHandleForReading.availableData
            guard !bytes.isEmpty else {
                throw SimulatedChip.SystemFailure(call: "keypad.py: \(command)", code: process.end())
            }
            answer += String(decoding: bytes, as: UTF8.self)
        }
        return String(answer.dropLast())
    }
}

/// What a keypad tells and answers, in words.
final class KeypadWords: Sendable {
    private let words = Mutex<[String]>([])

    func add(_ word: String) { words.withLock { $0.append(word) } }

    func add(_ event: Keypad.Event) {
        switch event {
        case .taken(let name): add("taken: \(name)")
        case .lost(let fault): add("lost: \(fault)")
        }
    }

    func add(_ answer: consuming KeypadAnswer) {
        switch consume answer {
        case .entered(let bytes, let count):
            add(bytes.withSpan { span in String(decoding: (0..<count).map { span[$0] }, as: UTF8.self) })
        case .refused(let fault): add("refused: \(fault)")
        case .cancelled: add("cancelled")
        }
    }

    /// Those that came, when the last one is this; what came before is forgotten.
    func wait(for last: String) throws -> [String] {
        let patience = Patience()
        while true {
            let found: [String]? = words.withLock { words in
                guard let place = words.firstIndex(where: { $0.hasPrefix(last) }) else { return nil }
                defer { words.removeFirst(place + 1) }
                return Array(words[...place])
            }
            if let found { return found }
            guard patience.milliseconds > 0 else {
                throw OutOfPatience("\"\(last)\" after \(words.withLock { $0 })")
            }
            sched_yield()
        }
    }
}

extension SimulatedKeypad {
    /// - Throws: while somebody has the device.
    static func requireFree(_ path: String) throws { _ = try KeypadDevice(path) }
}
