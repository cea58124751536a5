import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// `greylock-storage-key` is root's, in a folder where the service's user had a file.
@Suite(.enabled(if: geteuid() == 0, "files are given to another user: not as root"))
struct StorageKeyScriptTests {
    private static let somebody: uid_t = 65_534

    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
        try FileManager.default.createDirectory(atPath: folder.path("programs"), withIntermediateDirectories: false)
        try program("systemd-creds", #"case $1 in encrypt) exec cat ;; decrypt) exec cat "$3" ;; esac"#)
        try program("id", "exit 1")
    }

    private func program(_ name: String, _ script: String) throws {
        let path = try folder.file("programs/\(name)", "#!/bin/sh\n\(script)\n")
        #expect(unsafe chmod(path, 0o755) == 0)
    }

    private func run(_ arguments: String) throws -> Run {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "board/storage-key").path
        return try Run(
            script:
                "PATH=\"$1/programs:$PATH\" GREYLOCK_SEALED_KEY=\"$1/sealed/key\" exec \"$2\" \(arguments)",
            [folder.url.path, script]
        )
    }

    @Test("no link of another user's leads root out of the folder of the sealed key")
    func link() throws {
        let sealed = folder.path("sealed")
        try FileManager.default.createDirectory(atPath: sealed, withIntermediateDirectories: false)
        let key = (0..<32).map { UInt8($0) }
        try folder.write("sealed/key", key)
        try folder.write("copy", key)
        let rootsFile = try folder.file("roots-file", "root's alone")
        #expect(unsafe chmod(sealed, 0o777) == 0 && chown(sealed, Self.somebody, Self.somebody) == 0)
        for name in ["key.new", "key"] {
            unsafe _ = unlink("\(sealed)/\(name)")
            #expect(unsafe symlink(rootsFile, "\(sealed)/\(name)") == 0)
            let run = try run("restore \"$1/copy\" host")
            #expect(run.status == 0, "\(run.error)")
            #expect(try folder.bytes("roots-file") == Array("root's alone".utf8))
            var status = stat()
            #expect(unsafe lstat("\(sealed)/key", &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
            #expect(try folder.bytes("sealed/key") == key)
            #expect(unsafe lstat(sealed, &status) == 0 && status.st_uid == 0 && status.st_mode & 0o022 == 0)
            #expect(unsafe chown(sealed, Self.somebody, Self.somebody) == 0)
        }
    }
}
