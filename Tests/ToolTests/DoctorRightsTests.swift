import Foundation
import FuelPassbook
import Glibc
import KeyCustody
import KeyFiles
import TestFolders
import TestPrograms
import Testing

/// Faults of keys, folders and disks, as root makes them and as another user meets them.
@Suite(
    "doctor: keys, rights and disks",
    .enabled(if: geteuid() == 0, "files are given to other users, and disks are mounted: not as root"),
    .timeLimit(.minutes(10))
)
struct DoctorRightsTests {
    /// Who is no member of anything.
    private static let user = "nobody"

    private let bench: CeremonyBench

    init() throws { bench = try CeremonyBench(holding: [.record, .purchaseMaster]) }

    private func look() throws -> Doctored { try Doctored(["--config", bench.config]) }

    /// For a service of that user.
    private func lookForUser() throws -> Doctored { try Doctored(["--config", bench.config, "--user", Self.user]) }

    private func sh(_ script: String) throws {
        let run = try Run(script: script, [])
        #expect(run.status == 0, "\(run.error)")
    }

    @Test("a storage key that is gone, open to others, or not the service's")
    func storageKey() throws {
        let aside = bench.folder.path("aside")
        try provoke("storage-key-missing", saw: bench.storageKey) {
            try look()
        } fault: {
            try sh("mv \(bench.storageKey) \(aside)")
        } mend: { finding in
            #expect(finding.mend.hasPrefix("put it back"))
            try sh("mv \(aside) \(bench.storageKey)")
        }
        try provoke("storage-key-unguarded", saw: "root:root 0644") {
            try look()
        } fault: {
            try sh("chmod 644 \(bench.storageKey)")
        } mend: {
            try follow($0)
        }
        try sh("chown \(Self.user) \(bench.storageKey)")
        try provoke("storage-key-forbidden", saw: "nobody may not read") {
            try lookForUser()
        } fault: {
            try sh("chown root \(bench.storageKey)")
        } mend: {
            try follow($0)
        }
    }

    @Test("a key store that holds nothing that sells, is another's, or is not there")
    func keyStore() throws {
        let aside = bench.folder.path("aside")
        let loaded = try look()
        #expect(loaded["keys-not-active"]?.saw == "of 1 purchase masters none is active")
        let activated = try bench.run("keys", "activate", ["1", "1"])
        #expect(activated.status == 0, "\(activated.said)")
        #expect(try look()["keys-not-active"] == nil)
        try provoke("keys-unopened", saw: bench.store) {
            try look()
        } fault: {
            try sh("cp -p \(bench.storageKey) \(aside) && head -c 32 /dev/urandom >\(bench.storageKey)")
        } mend: { finding in
            #expect(finding.mend.hasPrefix("put the store and the storage key that belong to this terminal in place"))
            try sh("mv \(aside) \(bench.storageKey)")
        }
        try provoke("audit-log-unfit") {
            try look()
        } fault: {
            try sh("mv \(bench.store)-audit \(aside)")
        } mend: { _ in
            try sh("mv \(aside) \(bench.store)-audit")
        }
        try provoke("keys-missing", saw: "there is no key store") {
            try look()
        } fault: {
            try sh("mv \(bench.store) \(aside)")
        } mend: { finding in
            #expect(finding.mend.hasPrefix("greylock keys load"))
            try sh("cp -p \(aside) \(bench.store)")
        }
    }

    @Test("files and folders that are not the service's")
    func files() throws {
        let folder = bench.folder.url.path
        try sh("chown -R \(Self.user) \(folder)")
        try provoke("configuration-forbidden", saw: "nobody may not read") {
            try lookForUser()
        } fault: {
            try sh("chown root \(bench.config) && chmod 600 \(bench.config)")
        } mend: {
            try follow($0)
        }
        try provoke("file-forbidden", saw: "root:root 0600") {
            try lookForUser()
        } fault: {
            try sh("touch \(folder)/journal && chmod 600 \(folder)/journal")
        } mend: {
            try follow($0)
        }
        try provoke("folder-forbidden", saw: "may make no files") {
            try lookForUser()
        } fault: {
            try sh("chown root \(folder) && chmod 755 \(folder)")
        } mend: {
            try follow($0)
        }
        try sh("chown root \(folder) && chmod 777 \(folder)")
    }

    @Test("no advice gives away what a link of the service's user leads to")
    func links() throws {
        let folder = bench.folder.url.path
        try sh("chown -R \(Self.user) \(folder)")
        let rootsFile = try bench.folder.file("roots-file", "root's alone")
        try provoke("file-forbidden", saw: "root:root 0600") {
            try lookForUser()
        } fault: {
            try sh("chown root \(rootsFile) && chmod 600 \(rootsFile) && ln -s \(rootsFile) \(folder)/journal")
        } mend: { finding in
            #expect(finding.mend.hasPrefix("\(folder)/journal is a link") && !finding.mend.contains("chown"))
            try sh("rm \(folder)/journal")
        }
    }

    @Test("a user who may not see everything is told so, and one who is not there is named")
    func users() throws {
        let program = bench.folder.path("greylock")
        try sh("cp \(Program.folder.path)/greylock \(program) && chmod 755 \(bench.folder.url.path)")
        var user = 0
        func look() throws -> Doctored {
            let script = "shift; exec setpriv --reuid=\(user) --regid=65534 --clear-groups \(program) \"$@\""
            return try Doctored(["--config", bench.config], before: script)
        }
        try provoke("not-all-seen", saw: "nobody could not look at") {
            try look()
        } fault: {
            user = 65_534
        } mend: { finding in
            #expect(finding.mend.hasPrefix("run greylock doctor as root"))
            user = 0
        }
        var name = Self.user
        try provoke("user-missing", saw: "no user greylock-none") {
            try Doctored(["--config", bench.config, "--user", name])
        } fault: {
            name = "greylock-none"
        } mend: { _ in
            name = Self.user
        }
    }

    // MARK: - Disks

    @Test("a folder that is not there, or in memory")
    func folders() throws {
        let state = bench.folder.path("state")
        let text = try String(contentsOfFile: bench.config, encoding: .utf8)
        func configure(_ folder: String) throws {
            _ = try bench.folder.file(
                "greylock.toml",
                text.replacing(bench.folder.path("journal"), with: "\(folder)/journal")
            )
        }
        try configure(state)
        try sh("mkdir \(state)")
        try provoke("folder-missing", saw: "there is no \(state)/") {
            try look()
        } fault: {
            try sh("rmdir \(state)")
        } mend: {
            try follow($0)
        }
        let memory = try TestFolder(in: .memory)
        try provoke("folder-in-memory", saw: memory.url.path) {
            try look()
        } fault: {
            try configure(memory.url.path)
        } mend: { _ in
            try configure(state)
        }
    }

    @Test("a disk that does not answer: all else is said, and doctor ends")
    func silentDisk() throws {
        let disk = try HangingDisk(in: bench.folder)
        let variables = disk.variables.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        try provoke("disk-silent", saw: "did not end within 10 s") {
            try Doctored(["--config", bench.config], before: "exec env \(variables) \"$@\"")
        } fault: {
            disk.fail()
        } mend: { _ in
            try bench.folder.remove("gate")
        }
    }

    /// Each in a mount namespace of its own. A disk of so many bytes is one in memory.
    @Test(
        "a disk that is full, nearly full, read-only, or worn",
        arguments: [
            (
                "disk-full", "mount -t tmpfs -o size=1m disk STATE", "mount -t tmpfs -o size=1g disk STATE",
                "has 1 MiB free"
            ),
            (
                "disk-full", "mount -t tmpfs -o nr_inodes=8 disk STATE", "mount -t tmpfs disk STATE",
                "has room for 7 more files"
            ),
            (
                "disk-filling", "mount -t tmpfs -o size=99m disk STATE", "mount -t tmpfs -o size=1g disk STATE",
                "has 99 MiB"
            ),
            (
                "disk-read-only", "mount -t tmpfs -o ro disk STATE",
                "mount -t tmpfs -o ro disk STATE && mount -o remount,rw STATE",
                "mounted read-only"
            ),
            // No disk of this machine is worn: the kernel's file of it is another one.
            (
                "disk-worn",
                "mount -t tmpfs wear /sys/dev/block && for d in $(stat -c %Hd:%Ld STATE); do mkdir -p /sys/dev/block/$d/device; echo 0x02 0x0a >/sys/dev/block/$d/device/life_time; done",
                "true", "0x02 0x0a"
            ),
        ]
    )
    func disk(code: String, fault: String, mended: String, saw: String) throws {
        let state = bench.folder.path("state")
        let text = try String(contentsOfFile: bench.config, encoding: .utf8)
        _ = try bench.folder.file(
            "greylock.toml",
            text.replacing(bench.folder.path("journal"), with: "\(state)/journal")
        )
        try sh("mkdir \(state)")
        var mount = "true"
        try provoke(code, saw: saw) {
            let world = mount.replacing("STATE", with: state)
            let script = "exec unshare --mount sh -c '\(world) || exit 99; exec \"$@\"' sh \"$@\""
            return try Doctored(["--config", bench.config], before: script)
        } fault: {
            mount = fault
        } mend: { _ in
            mount = mended
        }
    }
}
