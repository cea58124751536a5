import Foundation
import Glibc
import KeyCustody
import TestPrograms

/// What goes wrong when custodians type a key, and what the tool says of it.
struct KeySlip {
    let done: String
    /// Of the line that tells the custodian.
    let says: String
    var stream = ProgramAtTerminal.Stream.log
    let status: Int32
    var options: [String] = []
    var environment: [String] = []
    /// The question that stands there next: what is typed before it is thrown away.
    var next: String?
    /// Before the tool is started.
    var prepare: (CeremonyBench) throws -> Void = { _ in }
    /// When it has ended.
    var restore: (CeremonyBench) throws -> Void = { _ in }
    /// Another ceremony has begun.
    var isOfTwo = false
    let play: (Ceremony, KeySlipTable) throws -> Void
}

/// The sheets that are typed: the same at each run, for no group of a drawn one may happen to be a year or a part of a
/// check value on the screen.
struct KeySlipTable {
    let bench: CeremonyBench
    let first = PaperSheet("3D94B664F7396AD5916B6BA6A52E01C1F8BEC8A8D9719A3E501F31FA63E80C87", .aes256)
    let second = PaperSheet("283E9D82C3F0C4A75E7E386E261C30FC7F8FAA018BE9CFB7B4C2AD4AB914BA92", .aes256)
    let foreign = PaperSheet("CA929FE16ADDD76A33D89C1A3DE3D971C0B7F982104C43CB36D50AF2B7294B4C", .aes256)

    init(_ bench: CeremonyBench) { self.bench = bench }

    private static let cancel = "\u{3}"

    /// What the screen answers at once; the custodian breaks off then.
    private static func atScreen(
        _ done: String,
        _ says: String,
        options: [String] = [],
        environment: [String] = [],
        next: String? = nil,
        _ play: @escaping (Ceremony, KeySlipTable) throws -> Void
    ) -> KeySlip {
        KeySlip(
            done: done,
            says: says,
            stream: .screen,
            status: 1,
            options: options,
            environment: environment,
            next: next,
            play: play
        )
    }

    static var component: [KeySlip] {
        [
            atScreen("wrong digit", "group 3 is wrong: press backspace five times, and type it again") {
                ceremony,
                table in
                try ceremony.introduce()
                var groups = table.first.groups
                groups[2] = (groups[2].hasPrefix("0") ? "1" : "0") + groups[2].dropFirst()
                try ceremony.answer(" 0 of ", groups.prefix(3).joined())
            },
            atScreen("two groups swapped", "is wrong: press backspace five times, and type it again") {
                ceremony,
                table in
                try ceremony.introduce()
                let groups = table.first.groups
                try ceremony.answer(" 0 of ", groups[1] + groups[0])
            },
            atScreen("letter O for a zero", "only 0 to 9 and A to F, blanks and dashes") { ceremony, _ in
                try ceremony.introduce()
                try ceremony.answer(" 0 of ", "O")
            },
            atScreen("Enter after an odd number of digits", "14 groups are still to come") { ceremony, table in
                try ceremony.introduce()
                try ceremony.answer(" 0 of ", table.first.groups.prefix(2).joined() + "A\r")
            },
            atScreen("typed on behind the last group", "digits: ") { ceremony, table in
                try ceremony.introduce()
                try ceremony.answer(" 0 of ", table.first.digits + " " + table.first.groups[0])
            },
            atScreen(
                "check value of another sheet",
                "the component makes another check value: type it again",
                next: " 0 of "
            ) {
                ceremony,
                table in
                try ceremony.introduce()
                try ceremony.answer(" 0 of ", table.first.digits)
                try ceremony.answer("digits: ", table.second.checkValue + "\r")
            },
            atScreen("check value of nine digits", "a check value has 10 digits, 0 to 9 and A to F", next: "digits: ") {
                ceremony,
                table in
                try ceremony.introduce()
                try ceremony.answer(" 0 of ", table.first.digits)
                try ceremony.answer("digits: ", table.first.checkValue.dropLast() + "\r")
            },
            KeySlip(
                done: "the same sheet twice",
                says: "components 1 and 2 are the same; nothing was stored",
                status: 65
            ) {
                try $0.type($1.first, $1.first)
            },
            KeySlip(done: "component of zeros", says: "component 1 is zero, and protects nothing", status: 65) {
                try $0.type(PaperSheet(String(repeating: "0", count: 64), .aes256), $1.second)
            },
            KeySlip(
                done: "components of a key with equal halves",
                says: "the halves of the key are the same; nothing was stored",
                status: 65,
                options: ["--triple-des"]
            ) { ceremony, _ in
                let one = PaperSheet("4E4955A763AFE866DE218FE4C7F2FA7F", .tripleDES)
                try ceremony.type(one, one.partner(making: "11223344556677881122334455667788"))
            },
            KeySlip(
                done: "components of a published key",
                says: "the key is a published one; nothing was stored",
                status: 65
            ) {
                let printed = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
                try $0.type($1.first, $1.first.partner(making: printed))
            },
            KeySlip(
                done: "component of another ceremony, seen at the whole key",
                says: "Wang did not confirm the key; nothing was stored: begin again with the right sheets",
                status: 65
            ) {
                try $0.type($1.first, $1.foreign)
                try $0.answer("Wang: is it the one on your sheet, yes or no: ", "no\r")
            },
            KeySlip(
                done: "one confirms a wrong value, the other does not",
                says: "Li did not confirm the key; nothing was stored: begin again with the right sheets",
                status: 65
            ) {
                try $0.type($1.first, $1.foreign)
                try $0.answer("Wang: is it the one on your sheet, yes or no: ", "yes\r")
                try $0.answer("Li: is it the one on your sheet, yes or no: ", "no\r")
            },
        ]
    }

    private static let nameRule = "a name has 1 to 40 characters, and is no other custodian's"

    static var custodians: [KeySlip] {
        [
            atScreen("control sequence in a name", nameRule, next: "your name: ") { ceremony, _ in
                try ceremony.answer("your name: ", "\u{9B}2JWang\r")
            },
            atScreen("no name", nameRule, next: "your name: ") { ceremony, _ in
                try ceremony.answer("your name: ", " \r")
            },
            atScreen("name of 41 characters", nameRule, next: "your name: ") { ceremony, _ in
                try ceremony.answer("your name: ", String(repeating: "w", count: 41) + "\r")
            },
            atScreen("name that is not UTF-8", nameRule, next: "your name: ") { ceremony, _ in
                try ceremony.tool.wait(for: "your name: ", on: .screen)
                try ceremony.tool.type([0xFF, 0xC3, 0x0D])
            },
            atScreen("the same name twice, in capitals", nameRule, next: "your name: ") { ceremony, table in
                try ceremony.introduce()
                try ceremony.type(table.first)
                try ceremony.answer("your name: ", " WANG\r")
            },
            atScreen(
                "the same envelope twice",
                "a number has 1 to 20 letters, digits and dashes, no blanks, and is no other envelope's",
                next: "envelope's number: "
            ) { ceremony, table in
                try ceremony.introduce()
                try ceremony.type(table.first)
                try ceremony.answer("your name: ", "Li\r")
                try ceremony.answer("envelope's number: ", "17-A\r")
            },
            atScreen("pasted lines: the first is taken", "your envelope's number: ") { ceremony, _ in
                try ceremony.answer("your name: ", "Wang\r17-A\ryes\r")
            },
            atScreen("neither yes nor no", "type yes or no", next: "yes or no: ") { try $1.perhaps($0) },
            KeySlip(
                done: "seal broken",
                says: "the seal of envelope 17-A was broken; nothing was stored: destroy all sheets of this key",
                status: 65
            ) { ceremony, _ in try ceremony.introduce(seal: "no") },
            atScreen("Chinese name with LANG=C", "your envelope's number: ", environment: ["LANG=C", "LC_ALL=C"]) {
                ceremony,
                _ in try ceremony.answer("your name: ", "王小明\r")
            },
            atScreen("40 columns", " 2 of 16 groups right") { ceremony, table in
                try ceremony.tool.setColumns(40)
                try ceremony.introduce()
                try ceremony.answer(" 0 of ", table.first.groups.prefix(2).joined())
            },
        ]
    }

    private func perhaps(_ ceremony: Ceremony) throws {
        try ceremony.answer("your name: ", "Wang\r")
        try ceremony.answer("envelope's number: ", "17\r")
        try ceremony.answer("yes or no: ", "perhaps\r")
    }

    /// What is wrong with the machine.
    static func machine(_ slipped: SlippedSystem, _ housing: SimulatedHousing) -> [KeySlip] {
        let system = { (name: String) in slipped.environment(name) }
        let clock = { (seconds: Int) in slipped.environment("SLIP_CLOCK", seconds) }
        return [
            KeySlip(
                done: "full disk",
                says: "No space left on device; the store was not changed",
                status: 74,
                environment: system("SLIP_FULL")
            ) {
                try $0.type($1.first, $1.second)
                try $0.answer("Wang: is it the one on your sheet, yes or no: ", "yes\r")
                try $0.answer("Li: is it the one on your sheet, yes or no: ", "yes\r")
            },
            KeySlip(
                done: "read-only disk",
                says: "Read-only file system",
                status: 74,
                environment: system("SLIP_READ_ONLY")
            ) { _, _ in },
            KeySlip(
                done: "clock that was never set",
                says: "the clock is not set: set it first",
                status: 69,
                environment: system("SLIP_CLOCK")
            ) { _, _ in },
            KeySlip(
                done: "clock behind the last change, seen and broken off",
                says:
                    "the clock shows 2026-05-28 20:26:40 UTC, and the keys were last changed at 2026-09-21 14:13:20 UTC",
                status: 1,
                environment: clock(1_780_000_000)
            ) {
                try $0.go(to: .name, $1.first, $1.second)
                try $0.tool.type(cancel)
            },
            atScreen(
                "clock 70 years ahead, seen and broken off",
                "By this machine's clock it is 2100-01-01 00:00:00 UTC.",
                environment: clock(4_102_444_800),
                next: "your name: "
            ) { _, _ in },
            KeySlip(
                done: "tool started while the housing is open",
                says: "the housing is open: close it, and begin again; nothing was changed",
                status: 69,
                environment: housing.environment,
                prepare: {
                    try $0.setTamperLine(housing.settings)
                    try housing.open()
                },
                restore: {
                    try $0.setTamperLine("")
                    try housing.close()
                },
                play: { _, _ in }
            ),
            KeySlip(
                done: "storage key that others may read",
                says: "only its owner may read and write: chmod 600 (found mode 0644)",
                status: 74,
                prepare: { unsafe _ = chmod($0.storageKey, 0o644) },
                restore: { unsafe _ = chmod($0.storageKey, 0o600) },
                play: { _, _ in }
            ),
            KeySlip(
                done: "a second ceremony at once",
                says: "the keys are being changed by another program: try again when it ended",
                status: 74,
                isOfTwo: true
            ) { _, _ in },
            KeySlip(
                done: "power cut between two components",
                says: "",
                status: -SIGKILL
            ) {
                try $0.go(to: .secondName, $1.first, $1.second)
                $0.tool.signal(SIGKILL)
            },
        ]
    }

    /// At each prompt, each way to break off.
    static var interruptions: [KeySlip] {
        let onward = "nothing was stored: begin again, with all custodians and the same sheets"
        let forgotten = KeySlip(
            done: "left alone at component",
            says: "nothing came for 1 seconds: it was broken off; \(onward)",
            status: 1,
            options: ["--patience", "1"]
        ) { try $0.go(to: .component, $1.first, $1.second) }
        return [forgotten]
            + Ceremony.Prompt.allCases.flatMap { prompt in
                [
                    KeySlip(done: "Ctrl-C at \(prompt.rawValue)", says: onward, status: 1) {
                        try $0.go(to: prompt, $1.first, $1.second)
                        try $0.tool.type(cancel)
                    },
                    KeySlip(done: "SIGTERM at \(prompt.rawValue)", says: "it was interrupted; \(onward)", status: 1) {
                        try $0.go(to: prompt, $1.first, $1.second)
                        $0.tool.signal(SIGTERM)
                    },
                    KeySlip(done: "hang-up at \(prompt.rawValue)", says: "the terminal is gone; \(onward)", status: 69)
                    {
                        try $0.go(to: prompt, $1.first, $1.second)
                        $0.tool.hangUp()
                    },
                ]
            }
    }
}
