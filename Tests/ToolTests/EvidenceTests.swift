import Foundation
import Journal
import TestFolders
import TestPrograms
import Testing

/// Looking at a journal from outside: other users, other media, full disks (decision record 0018).
struct EvidenceTests {
    private let folder: TestFolder
    private let config: String
    private var journal: String { folder.path("journal") }

    init() throws {
        folder = try TestFolder()
        config = try folder.file("greylock.toml", toolConfiguration(journal: folder.path("journal")))
        try makeJournal(folder.path("journal"))
    }

    private var names: Set<String> {
        get throws { Set(try FileManager.default.contentsOfDirectory(atPath: folder.url.path)) }
    }

    /// Root may mount, and become another user.
    private static let isRoot = isRequired || geteuid() == 0
    private static let needsRoot: Comment =
        "not root: a file system is mounted, or another user acts; GREYLOCK_REQUIRE=root makes this a failure"

    private static let isRequired =
        (ProcessInfo.processInfo.environment["GREYLOCK_REQUIRE"] ?? "").split(separator: ",").contains("root")

    private static let otherUsersReachPrograms =
        isRequired
        || isRoot
            && succeeds(
                #"setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/greylock" --version >/dev/null 2>&1"#
            )
    private static let needsReach: Comment =
        "not root, or the programs are not reachable for another user; GREYLOCK_REQUIRE=root makes this a failure"

    private static let mountsImages =
        isRequired
        || isRoot
            && succeeds(
                """
                exec unshare -m --propagation private sh -ec '
                    cd "$(mktemp -d)" && trap "rm -rf \\"$PWD\\"" EXIT
                    dd if=/dev/zero of=image bs=1M count=4 2>/dev/null
                    mkfs.ext4 -q -b 1024 -O ^has_journal -m 0 image && mkdir disk && mount -o loop image disk
                    umount disk
                '
                """
            )
    private static let needsImages: Comment =
        "not root, or no image of a file system can be mounted; GREYLOCK_REQUIRE=root makes this a failure"

    private static func succeeds(_ script: String) -> Bool {
        do { return try Run(script: script, []).status == 0 } catch { return false }
    }

    @Test func lookingMakesNoFile() throws {
        let before = try names
        for arguments in [["records", "--journal", journal], ["position", "--config", config]] {
            let run = try Run("greylock", arguments)
            #expect(run.status == 0, "\(run.error)")
        }
        #expect(try names == before)
    }

    @Test func aMissingJournalIsNotMade() throws {
        let other = try folder.file("other.toml", toolConfiguration(journal: folder.path("none")))
        for arguments in [
            ["position"], ["position", "--clear", "--name", "T. Nician", "--reason", "pulser mended"],
            ["position", "--accept-journal", "why not"],
        ] {
            let run = try Run("greylock", arguments + ["--config", other])
            #expect(run.status == 74 && run.error.contains("No such file or directory"), "\(arguments): \(run.error)")
            #expect(run.error.hasPrefix("greylock position: \(folder.path("none")): "), "\(run.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("none")))
    }

    @Test(.enabled(if: isRoot, needsRoot))
    func aReadOnlyMediumIsRead() throws {
        let run = try Run(
            script: """
                exec unshare -m --propagation private sh -ec '
                    mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"
                    "$BIN/greylock" records --journal "$1/journal"
                    "$BIN/greylock" position --config "$1/greylock.toml"
                    ! "$BIN/greylock" position --clear --name T --reason mended --config "$1/greylock.toml"
                ' sh "$1"
                """,
            [folder.url.path]
        )
        #expect(run.status == 0, "\(run.error)")
        #expect(
            run.output.contains("records: 1") && run.output.contains("position 1 has not closed itself"),
            "\(run.output)"
        )
        #expect(run.error.contains("Read-only file system"), "\(run.error)")
    }

    @Test(.enabled(if: otherUsersReachPrograms, needsReach))
    func anotherUserIsToldWhoseTheJournalIs() throws {
        let before = try names
        let run = try Run(
            script: """
                chmod 755 "$1"
                as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/greylock" "$@"; }
                as records --journal "$1/journal"; echo "status $?"
                as position --clear --name T --reason mended --config "$1/greylock.toml"; echo "status $?"
                """,
            [folder.url.path]
        )
        #expect(run.output == "status 74\nstatus 74\n", "\(run.output)")
        let words = "Permission denied: the journal belongs to user root: run this as that user"
        #expect(run.error.split(separator: "\n").count { $0.contains(words) } == 2, "\(run.error)")
        #expect(try names == before)
    }

    @Test(.enabled(if: isRoot, needsRoot))
    func rootLooksAtAServicesJournalAndLeavesNothingBehind() throws {
        let before = try names
        let run = try Run(
            script: """
                chown 65534 "$1"/journal*
                "$BIN/greylock" records --journal "$1/journal"
                "$BIN/greylock" position --config "$1/greylock.toml"
                "$BIN/greylock" position --clear --name T --reason mended --config "$1/greylock.toml"; echo "status $?"
                "$BIN/greylock" position --accept-journal test --config "$1/greylock.toml"; echo "status $?"
                "$BIN/greylock" run --config "$1/greylock.toml"; echo "status $?"
                """,
            [folder.url.path]
        )
        #expect(run.output.contains("records: 1"))
        #expect(run.output.hasSuffix("status 74\nstatus 74\nstatus 74\n"), "\(run.output)")
        #expect(run.error.components(separatedBy: "the journal belongs to user").count == 4, "\(run.error)")
        #expect(try names == before)
    }

    /// SQLite maps the index of its log into memory: where the file's blocks are smaller than a page, a full disk is a
    /// signal for it.
    @Test(.enabled(if: mountsImages, needsImages))
    func aFullDiskOfSmallBlocksIsNoSignal() throws {
        let run = try Run(
            script: """
                exec unshare -m --propagation private sh -c '
                    dd if=/dev/zero of="$1/image" bs=1M count=4 2>/dev/null &&
                    mkfs.ext4 -q -b 1024 -O ^has_journal -m 0 "$1/image" &&
                    mkdir "$1/disk" && mount -o loop "$1/image" "$1/disk" || exit 99
                    sed "s,$1/journal\\",$1/disk/journal\\"," "$1/greylock.toml" >"$1/full.toml"
                    "$BIN/greylock" run --config "$1/full.toml" 2>"$1/log" &
                    until grep -q ready "$1/log"; do kill -0 $! || exit 98; done
                    kill -9 $!; wait $!
                    dd if=/dev/zero of="$1/disk/fill" bs=1k 2>/dev/null; dd if=/dev/zero of="$1/disk/rest" bs=1 2>/dev/null
                    "$BIN/greylock" records --journal "$1/disk/journal"; echo "status $?"
                    "$BIN/greylock" position --config "$1/full.toml"; echo "status $?"
                    for try in 1 2; do "$BIN/greylock" run --config "$1/full.toml"; echo "status $?"; done
                    "$BIN/greylock" position --accept-clock --config "$1/full.toml"; echo "status $?"
                    "$BIN/greylock" records --journal "$1/disk/journal" >/dev/null; echo "status $?"
                    rm "$1/disk/fill" "$1/disk/rest"
                    "$BIN/greylock" run --config "$1/full.toml" 2>"$1/log2" &
                    until grep -qs ready "$1/log2"; do kill -0 $! || exit 97; done
                    kill $!; wait $!; echo "status $?"
                ' sh "$1"
                """,
            [folder.url.path]
        )
        let statuses = run.output.split(separator: "\n").filter { $0.hasPrefix("status ") }
        #expect(
            statuses.map(String.init) == [0, 0, 74, 74, 0, 0, 0].map { "status \($0)" },
            "\(run.output)\n\(run.error)"
        )
        #expect(run.error.contains("no space is left for the journal"), "\(run.error)")
    }
}
