import Foundation
import Glibc
import TestFolders
import TestPrograms
import Testing

/// `greylock station`, `drain`, `undrain` and `health`, as they are typed.
@Suite(.timeLimit(.minutes(5)))
struct StationToolTests {
    private let folder: TestFolder
    private let config: String

    init() throws {
        folder = try TestFolder()
        config = try Self.configuration(folder)
    }

    /// - Parameter groups: of the sockets, two lines of `[interface]`.
    private static func configuration(_ folder: TestFolder, groups: String = "") throws -> String {
        let service = toolConfiguration(
            journal: folder.path("journal"),
            card: ", state = \"\(folder.path("card"))\"",
            flow: "centilitres = 2000\nlitres_per_minute = 40\nspeed = 20"
        )
        let sockets = "read = \"\(folder.path("read.sock"))\"\ncontrol = \"\(folder.path("control.sock"))\""
        return try folder.file("greylock.toml", "\(service)\n[interface]\n\(sockets)\n\(groups)\n")
    }

    private func tool(_ words: String...) throws -> Run {
        // What is typed has no blank within a word, but for a reason's.
        try Run(
            "greylock",
            words.flatMap { $0.hasPrefix("=") ? [String($0.dropFirst())] : $0.split(separator: " ").map(String.init) }
                + ["--config", config]
        )
    }

    private func running() throws -> Program {
        let service = try Program("greylock", ["run", "--config", config])
        let health = try tool("health --wait 60")
        #expect(
            health.status == 0 && health.output == "every side serves, or is closed on purpose\n",
            "\(health.error)"
        )
        return service
    }

    private func end(_ service: Program) {
        service.signal(SIGTERM)
        #expect(service.end() == 0)
    }

    @Test(arguments: [
        "station", "station stat", "station status --position 1", "station block --position 1",
        "station block --position one",
        "station block --reason leaks", "station unblock", "station price --position 1",
        "station price --position 1 --price 7.85",
        "station price --position 1 --price 785 --from tomorrow",
        "station price --position 1 --price 785 --from 2027-02-30T00:00:00Z",
        "station records --after -1", "station acknowledge", "station acknowledge one",
        "station acknowledge 4294967296", "station level", "station level debug",
        "station greys --after x", "station take-greys",
        "station blacklist", "drain --wait 0", "drain --wait 86401", "drain now", "undrain 1", "health --wait -1",
        "health --wait soon",
    ])
    func nonsenseIsRefusedBeforeAnybodyIsAsked(_ line: String) throws {
        let refused = try tool(line)
        #expect(refused.status == 64, "\(refused.error)")
        #expect(refused.output.isEmpty && !refused.error.isEmpty)
    }

    private static let commands = [
        "station status", "station watch", "station block --position 1 --reason leaks", "station unblock --position 1",
        "station price --position 1 --price 785", "station records", "station acknowledge 1", "drain", "undrain",
        "health",
    ]

    @Test(arguments: commands)
    func withoutAServiceWhoMayAskIsSaid(_ line: String) throws {
        let refused = try tool(line)
        #expect(refused.status == 69)
        let words =
            "No such file or directory: the service does not run, or this user may not ask it; the service's own user may"
        #expect(refused.error.contains(words), "\(refused.error)")
    }

    @Test(arguments: commands)
    func withoutASocketTheKeyIsNamed(_ line: String) throws {
        let text = try String(contentsOfFile: config, encoding: .utf8)
        _ = try folder.file(
            "greylock.toml",
            String(text.prefix(upTo: #require(text.range(of: "[interface]")).lowerBound))
        )
        let refused = try tool(line)
        #expect(refused.status == 78)
        #expect(refused.error.contains("the service has no such socket: set interface."), "\(refused.error)")
    }

    @Test func aSocketThatNobodyServesAnyMoreIsNoService() throws {
        let service = try running()
        service.signal(SIGKILL)
        #expect(service.end() == -SIGKILL)
        let refused = try tool("station status")
        #expect(refused.status == 69 && refused.error.contains("Connection refused"), "\(refused.error)")
        end(try running())
    }

    @Test func eachDoesWhatItSays() throws {
        let service = try running()
        let status = try tool("station status")
        #expect(status.output.contains("position 1: ") && status.output.contains("7.85 yuan/L"), "\(status.output)")
        let json =
            try JSONSerialization.jsonObject(with: Data(tool("station status --json").output.utf8)) as? [String: Any]
        #expect((json?["sides"] as? [[String: Any]])?.first?["fenPerLitre"] as? Int == 785)
        for _ in 1...2 {
            let price = try tool("station price --position 1 --price 812 --key p1")
            #expect(price.output == "position 1: 8.12 yuan a litre from the next sale on\n", "\(price.error)")
        }
        let used = try tool("station price --position 1 --price 813 --key p1")
        #expect(used.status == 69 && used.error.contains("(key-used)"), "\(used.error)")
        let blocked = try tool("station block --position 1 --reason", "=hose leaks")
        #expect(blocked.output == "position 1: blocked, no sale begins\n", "\(blocked.error)")
        let drained = try tool("drain --wait 60")
        #expect(drained.status == 0 && drained.output.hasPrefix("drained: every sale is paid"), "\(drained.error)")
        let closed = try tool("station status").output
        #expect(closed.contains(", drained\n"), "\(closed)")
        #expect(try tool("health").status == 0)
        #expect(try tool("undrain").output == "sales begin again\n")
        #expect(try tool("station unblock --position 1").status == 0)
        #expect(try tool("station level warning").output == "the log says warning and what is graver\n")
        #expect(try tool("station status").output.contains("the log says warning and graver, by order of root, 20"))
        #expect(try tool("station block --position 1 --reason unheard").status == 0)
        #expect(try tool("station level info").status == 0)
        let none = try tool("station greys")
        #expect(none.status == 69 && none.error.contains("no grey record behind 0 is open"), "\(none.error)")
        let wrong = try tool("station take-greys \(folder.file("greys", "greylock-grey 3\n"))")
        #expect(wrong.status == 69 && wrong.error.contains("(greys-wrong)"), "\(wrong.error)")
        #expect(try tool("station take-greys \(folder.path("none"))").status == 74)
        end(service)
        let orders = service.lines.filter { $0.contains("by order") && $0.contains("user=") }
        #expect(orders.count == 7, "\(orders)")
        #expect(!service.lines.contains { $0.contains("unheard") })
    }

    @Test(arguments: [
        ("station block --position 2 --reason leaks", "there is no side 2, but 1 (no-such-side)"),
        ("station unblock --position 0", "the member \"side\": expected an integer from 1 to 99 (member-wrong)"),
        ("station price --position 1 --price 0", "expected an integer from 1 to 99999 (member-wrong)"),
        ("station acknowledge 77", "there is no record 77: nothing was acknowledged (no-such-record)"),
        ("station acknowledge 0", "(member-wrong)"),
        ("station block --position 1 --reason \u{1B}[2J", "a text of 1 to 200 printable characters (member-wrong)"),
    ])
    func theServicesRefusalIsShown(_ line: String, _ words: String) throws {
        let service = try running()
        let refused = try tool(line)
        #expect(refused.status == 69 && refused.error.contains(words), "\(refused.error)")
        #expect(!refused.error.contains("\u{1B}"))
        end(service)
    }

    @Test func aListOfCardsIsReadBeforeItIsSent() throws {
        let service = try running()
        let list = try folder.file(
            "cards",
            "0001 0000 0000 0000 0042\r\n\n00010000000000000043\n00010000000000000042\n"
        )
        #expect(try tool("station blacklist \(list)").output == "2 cards are blocked by this list\n")
        let wrong = try tool("station blacklist \(folder.file("cards", "00010000000000000042\n0001\n"))")
        #expect(wrong.status == 65 && wrong.error.contains("cards:2: expected the 20 digits"), "\(wrong.error)")
        #expect(try tool("station blacklist \(folder.path("none"))").status == 74)
        #expect(try tool("station blacklist /dev/null").output == "0 cards are blocked by this list\n")
        end(service)
    }

    private static let otherUsersReachPrograms: Bool = {
        guard geteuid() == 0 else { return false }
        let script = #"setpriv --reuid=61001 --regid=61001 --clear-groups "$BIN/greylock" --version >/dev/null 2>&1"#
        do { return try Run(script: script, []).status == 0 } catch { return false }
    }()

    /// Users without a name, in two groups that every Debian has.
    @Test(.enabled(if: otherUsersReachPrograms, "not root, or the programs are not reachable for another user"))
    func eachSocketIsItsGroups() throws {
        _ = try Self.configuration(folder, groups: "read_group = \"games\"\ncontrol_group = \"daemon\"")
        let service = try running()
        let run = try Run(
            script: """
                export LLVM_PROFILE_FILE=/dev/null
                chmod 755 "$1"
                as() { groups=$1; shift; setpriv --reuid=61001 --regid=61001 $groups "$BIN/greylock" "$@" --config "$CONFIG" >/dev/null; echo $?; }
                CONFIG=$1/greylock.toml
                for groups in --groups=games --groups=daemon --clear-groups; do
                    as $groups station status; as $groups health; as $groups station price --position 1 --price 790
                    as $groups station records; as $groups undrain
                done
                """,
            [folder.url.path]
        )
        let wanted = [[0, 0, 69, 69, 69], [69, 69, 0, 0, 0], [69, 69, 69, 69, 69]]
        #expect(run.output == wanted.joined().map { "\($0)\n" }.joined(), "\(run.output)\(run.error)")
        for group in ["games", "daemon"] {
            let words =
                "Permission denied: the service does not run, or this user may not ask it; members of the group \(group) may"
            #expect(run.error.contains(words), "\(run.error)")
        }
        end(service)
        // Whoever has no name is kept by his number.
        #expect(
            service.lines.contains { $0.contains("price by order") && $0.contains("user=61001") },
            "\(service.lines)"
        )
    }

    /// As in the unit, where the service may give a socket to no group: the folder's bit does it.
    @Test(.enabled(if: otherUsersReachPrograms, "not root, or the programs are not reachable for another user"))
    func aSocketHasTheGroupOfItsFolder() throws {
        let text = try String(contentsOfFile: config, encoding: .utf8)
        func configure(_ group: String) throws {
            let placed = text.replacing(folder.path("control.sock"), with: folder.path("control/socket"))
            _ = try folder.file("greylock.toml", "\(placed)control_group = \"\(group)\"\n")
        }
        let script = """
            export LLVM_PROFILE_FILE=/dev/null
            cd "$1" && mkdir -p control && chown -R 61002:61002 . && chmod 755 . && chgrp games control && chmod 2710 control
            run="setpriv --reuid=61002 --regid=61002 --clear-groups $BIN/greylock run --config greylock.toml"
            ask() { setpriv --reuid=61001 --regid=61001 "$1" "$BIN/greylock" undrain --config greylock.toml; echo $?; }
            timeout 60 $run 2>log & service=$!
            for _ in $(seq 600); do [ -S control/socket ] && break; kill -0 $service || break; sleep 0.1; done
            ask --groups=games; ask --clear-groups
            stat -c '%A %U:%G' control/socket
            kill $service; wait $service; tail -n 1 log >&2
            """
        try configure("games")
        let run = try Run(script: script, [folder.url.path])
        #expect(run.output == "sales begin again\n0\n69\nsrw-rw---- UNKNOWN:games\n", "\(run.output)\(run.error)")
        try configure("daemon")
        let other = try Run(script: script, [folder.url.path])
        #expect(
            other.error.contains("cannot give the group to \(folder.path("control/socket")): Operation not permitted"),
            "\(other.error)"
        )
    }
}
