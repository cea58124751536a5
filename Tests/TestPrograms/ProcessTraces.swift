private import CInspection
package import Foundation
private import Glibc
private import TestFolders

/// Where a process shows what it was told, or leaves it, beside its own memory: its arguments, of which a shell keeps its history; its
/// environment; and files. `/proc/PID/fd` tells which files it has open.
package struct ProcessTraces {
    private let process: Int32
    private let folder: URL

    /// - Parameter folder: all files that the process may write are in it.
    package init(of process: Int32, writingIn folder: URL) {
        self.process = process
        self.folder = folder
    }

    /// - Parameters:
    ///   - texts: what it said.
    ///   - own: names of files in the folder that are secrets.
    /// - Returns: "component 1 in /proc/17/cmdline", for each place in which any form of a secret stands.
    package func search(
        for secrets: [SecretPatterns],
        saying texts: [String] = [],
        own: Set<String> = []
    ) throws -> [String] {
        var places = texts.enumerated().map { ("what it said, \($0.offset)", Data($0.element.utf8)) }
        for name in ["cmdline", "environ"] {
            let path = "/proc/\(process)/\(name)"
            places.append((path, FileManager.default.contents(atPath: path) ?? Data()))
        }
        places += try files(own).map { ($0, try Data(contentsOf: URL(filePath: $0))) }
        return secrets.flatMap { secret in
            places.filter { place in secret.all.contains { Self.has($0, in: place.1) } }
                .map { "\(secret.name) in \($0.0)" }
        }
    }

    private static func has(_ pattern: [UInt8], in data: Data) -> Bool {
        unsafe data.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe greylock_find(base, bytes.count, pattern, pattern.count) != nil
        }
    }

    /// Files that it has open outside the folder; terminals and devices are none.
    package func filesElsewhere() throws -> [String] {
        let descriptors = "/proc/\(process)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: descriptors)
            .map { try FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)") }
            .filter { $0.hasPrefix("/") && !$0.hasPrefix("/dev/") && !$0.hasPrefix(folder.path) }
    }

    /// The soft and the hard limit of a core's size, "0" and "0".
    package func coreLimits() throws -> [String] {
        let limits = try String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8)
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        return line.map { $0.split(separator: " ").dropFirst(4).prefix(2).map(String.init) } ?? []
    }

    private func files(_ own: Set<String>) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return names.filter { !own.contains($0) }.map { folder.appending(path: $0).path }
            .filter { path in
                var status = stat()
                return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            }
    }

    /// Whether a process that may leave a core does so here, as a shell shows that ends itself: else one that is missing says nothing.
    package static let coresAreLeft: Bool = {
        let shell: StartedProcess
        let folder: TestFolder
        do {
            folder = try TestFolder()
            shell = try StartedProcess(
                ["/bin/sh", "-c", "cd '\(folder.url.path)' && ulimit -c unlimited && kill -ABRT $$"],
                output: STDERR_FILENO
            )
        } catch {
            fatalError("\(error)")
        }
        shell.end()
        if !shell.leftCore {
            print("cores are not looked for: this kernel leaves none; the limit is looked at all the same")
        }
        return shell.leftCore
    }()
}
