private import CInspection
package import Foundation
private import Glibc
private import TestFolders

/// A disk that loses what was not flushed. It keeps the calls by which this process changes a folder's files, and tells every state in
/// which the end of the mains leaves them.
///
/// What is written to a file and not flushed is there, is not, or is there up to any write; the next one is cut, or is zeros where
/// the file grew. Names that are given and taken away are there in their order up to any of them, whatever became of the files, until
/// the folder is flushed. What is written by O_SYNC is cut at each byte. One recording at a time: suites that use it are serialized.
package struct LosingDisk {
    /// Files by their names in the folder.
    package struct State: Hashable {
        package let files: [String: [UInt8]]

        /// Into a folder, as only their owner may read them.
        package func write(to folder: URL) throws {
            for (name, bytes) in files {
                let path = folder.appending(path: name).path
                let isMade = FileManager.default.createFile(
                    atPath: path,
                    contents: Data(bytes),
                    attributes: [.posixPermissions: 0o600]
                )
                guard isMade else { throw StartedProcess.Failure(description: "cannot make \(path)") }
            }
        }
    }

    private let folder: URL
    private let before: State
    private var calls: [DiskCall] = []

    /// What is there is flushed.
    package init(of folder: URL) throws {
        self.folder = folder
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        let files = try names.map { ($0, Array(try Data(contentsOf: folder.appending(path: $0)))) }
        before = State(files: Dictionary(uniqueKeysWithValues: files))
    }

    package mutating func record(_ body: () throws -> Void) throws {
        unsafe greylock_record_begin(folder.path)
        let result = Result { try body() }
        var count = 0
        let bytes = unsafe greylock_record_end(&count)
        calls = unsafe DiskCall.all(in: UnsafeBufferPointer(start: bytes, count: count).map { $0 })
        try result.get()
    }

    /// While it is recorded: the states from now on have this number, until the next.
    package static func mark(_ number: Int32) { greylock_record_mark(number) }

    package var callsCount: Int { calls.count }

    /// What the disk may still have, after all calls, of files that have no name any more.
    package func remains() -> [[UInt8]] {
        var disk = DiskAfterCalls(before, folder)
        for call in calls { disk.take(call) }
        return disk.remains
    }

    /// Each with the greatest number that was marked before it; 0 before the first.
    package func states() -> [State: Int] {
        var disk = DiskAfterCalls(before, folder)
        var mark = 0
        var states: [State: Int] = [:]
        func add(_ found: [State]) { for state in found { states[state] = max(states[state] ?? 0, mark) } }
        add(disk.states())
        for call in calls {
            if call.kind == .mark { mark = Int(call.number) }
            add(disk.torn(call))
            disk.take(call)
            add(disk.states())
        }
        return states
    }
}

private struct DiskCall {
    enum Kind: UInt8 {
        case open = 0x6F
        case close = 0x63
        case write = 0x77
        case truncate = 0x74
        case flush = 0x66
        case rename = 0x72
        case unlink = 0x75
        case mark = 0x6D
    }

    let kind: Kind
    let file: Int32
    let number: Int64
    let path: String
    let other: String
    let bytes: [UInt8]

    static func all(in log: [UInt8]) -> [DiskCall] {
        var rest = log[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func number(_ count: Int) -> UInt64 { take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        func text() -> [UInt8] { take(Int(number(4))) }
        var calls: [DiskCall] = []
        while let letter = rest.popFirst() {
            guard let kind = Kind(rawValue: letter) else { preconditionFailure("a call \(letter)") }
            calls.append(
                DiskCall(
                    kind: kind,
                    file: Int32(truncatingIfNeeded: number(4)),
                    number: Int64(truncatingIfNeeded: number(8)),
                    path: String(decoding: text(), as: UTF8.self),
                    other: String(decoding: text(), as: UTF8.self),
                    bytes: text()
                )
            )
        }
        return calls
    }
}

private struct DiskAfterCalls {
    private enum Change {
        case bytes([UInt8], at: Int)
        case length(Int)

        func applied(to content: [UInt8]) -> [UInt8] {
            var content = content
            switch self {
            case .length(let length):
                content = Array(content.prefix(length)) + Array(repeating: 0, count: max(0, length - content.count))
            case .bytes(let bytes, let place):
                let end = place + bytes.count
                content += Array(repeating: 0, count: max(0, end - content.count))
                content.replaceSubrange(place..<end, with: bytes)
            }
            return content
        }

        /// What a cut within it leaves.
        func torn(_ content: [UInt8]) -> [[UInt8]] {
            guard case .bytes(let bytes, let place) = self, !bytes.isEmpty else { return [] }
            let cuts = Set([1, bytes.count / 2, bytes.count - 1])
            var torn = cuts.map { Change.bytes(Array(bytes.prefix($0)), at: place).applied(to: content) }
            if place + bytes.count > content.count {
                torn.append(Change.length(place + bytes.count).applied(to: content))
            }
            return torn
        }
    }

    private struct Content {
        var flushed: [UInt8]
        var pending: [Change] = []

        var now: [UInt8] { pending.reduce(flushed) { $1.applied(to: $0) } }

        var possible: [[UInt8]] {
            var content = flushed
            var all = [content]
            for change in pending {
                all += change.torn(content)
                content = change.applied(to: content)
                all.append(content)
            }
            return Array(Set(all))
        }
    }

    private enum Naming {
        case give(String, Int)
        case take(String)
        case move(String, String)

        func apply(to names: inout [String: Int]) {
            switch self {
            case .give(let name, let content): names[name] = content
            case .take(let name): names[name] = nil
            case .move(let old, let new): names[new] = names.removeValue(forKey: old)
            }
        }
    }

    private let folder: String
    private var contents: [Content] = []
    private var flushedNames: [String: Int] = [:]
    private var pendingNames: [Naming] = []
    /// A content, and whether what is written to it is flushed at once.
    private var files: [Int32: (content: Int, isFlushed: Bool)] = [:]

    init(_ before: LosingDisk.State, _ folder: URL) {
        self.folder = folder.path
        for (name, bytes) in before.files {
            flushedNames[name] = contents.count
            contents.append(Content(flushed: bytes))
        }
    }

    private var names: [String: Int] {
        var names = flushedNames
        for naming in pendingNames { naming.apply(to: &names) }
        return names
    }

    private func name(_ path: String) -> String { String(path.dropFirst(folder.count + 1)) }

    mutating func take(_ call: DiskCall) {
        switch call.kind {
        case .open: open(call)
        case .close: files[call.file] = nil
        case .write, .truncate:
            guard let file = files[call.file] else { preconditionFailure("a write to a folder") }
            contents[file.content].pending.append(change(call, file.content))
            if file.isFlushed { flush(file.content) }
        case .flush:
            if let file = files[call.file] {
                flush(file.content)
            } else {
                flushedNames = names
                pendingNames = []
            }
        case .rename: pendingNames.append(.move(name(call.path), name(call.other)))
        case .unlink: pendingNames.append(.take(name(call.path)))
        case .mark: break
        }
    }

    private func change(_ call: DiskCall, _ content: Int) -> Change {
        guard call.kind == .write else { return .length(Int(call.number)) }
        return .bytes(call.bytes, at: call.number < 0 ? contents[content].now.count : Int(call.number))
    }

    private mutating func open(_ call: DiskCall) {
        let flags = Int32(truncatingIfNeeded: call.number)
        let name = name(call.path)
        // The folder itself, to be flushed.
        guard !name.isEmpty else { return }
        let content: Int
        if let there = names[name] {
            content = there
        } else {
            content = contents.count
            contents.append(Content(flushed: []))
            pendingNames.append(.give(name, content))
        }
        if flags & O_TRUNC != 0 { contents[content].pending.append(.length(0)) }
        files[call.file] = (content, flags & O_SYNC == O_SYNC)
    }

    private mutating func flush(_ content: Int) {
        contents[content] = Content(flushed: contents[content].now)
    }

    var remains: [[UInt8]] {
        let named = Set(names.values)
        return contents.indices.filter { !named.contains($0) }.flatMap { contents[$0].possible }
    }

    /// All in which the disk can be now.
    func states() -> [LosingDisk.State] { states { contents[$0].possible } }

    /// Those in the midst of a call that flushes what it writes.
    func torn(_ call: DiskCall) -> [LosingDisk.State] {
        guard call.kind == .write, let file = files[call.file], file.isFlushed else { return [] }
        let before = contents[file.content].now
        let cuts = (1..<call.bytes.count).map {
            Change.bytes(Array(call.bytes.prefix($0)), at: Int(call.number)).applied(to: before)
        }
        return states { $0 == file.content ? cuts : contents[$0].possible }
    }

    private func states(_ possible: (Int) -> [[UInt8]]) -> [LosingDisk.State] {
        var names = flushedNames
        var all = states(of: names, possible)
        for naming in pendingNames {
            naming.apply(to: &names)
            all += states(of: names, possible)
        }
        return all
    }

    private func states(of names: [String: Int], _ possible: (Int) -> [[UInt8]]) -> [LosingDisk.State] {
        var states: [[String: [UInt8]]] = [[:]]
        for (name, content) in names {
            let contents = possible(content)
            states = states.flatMap { state in contents.map { state.merging([name: $0]) { $1 } } }
        }
        return states.map { LosingDisk.State(files: $0) }
    }
}
