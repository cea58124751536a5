import ArgumentParser
import CardWorkshop
import Console
import FuelPassbook
import ISO7816
import Issuer
import Threads

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keys: a terminal's own, and the issuer's, which cards are made with.",
        subcommands: [
            KeysGenerate.self, KeysVerify.self, KeysLoad.self, KeysList.self, KeysReceipt.self, KeysActivate.self,
            KeysRetire.self, KeysErase.self, KeysRewrap.self, KeysNew.self, KeysWrap.self, KeysShow.self,
        ]
    )
}

struct KeysNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make new master keys and seal them in a new file.",
        discussion: """
            The keys come from the system's generator and are never shown. The passphrase is asked for twice at the \
            terminal. Without it nobody opens the file again, and without the file no card that was made with it is \
            served or serviced: keep a copy of both, apart. A file that is there already is never replaced.

            Exit status: 0 when the file is on the disk, 1 when no passphrase was typed, 69 without a terminal, 74 \
            when the file cannot be made. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The file that keeps the keys; it must not exist yet.", valueName: "FILE"))
    var store: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("By what terminals ask for these keys, 0 to 255.", valueName: "NUMBER")
    )
    var index: UInt8 = 1

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which generation of that index they are, 0 to 255.", valueName: "NUMBER")
    )
    var version: UInt8 = 1

    func run() throws {
        try runTool("keys new") { () throws(ServiceFailure) in
            let keys = try KeyStoreFile.create(store, index: KeyIndex(index), version: KeyVersion(version))
            writeLine("new keys are in \(store)")
            for line in keys.lines { writeLine(line) }
            writeLine(
                "a card is made with them by keys = \"\(store.contains("/") ? store : "./\(store)")\" in its profile"
            )
        }
    }
}

struct KeysShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What a key store holds: names and check values, never keys.",
        discussion: """
            The passphrase is asked for at the terminal. A check value is the left 3 bytes of eight zero bytes under \
            the key.

            Exit status: 0, 1 when no passphrase was typed, 69 without a terminal, 74 when the file cannot be read or \
            does not open. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The file that keeps the keys.", valueName: "FILE"))
    var store: String

    func run() throws {
        try runTool("keys show") { () throws(ServiceFailure) in
            let keys = try KeyStoreFile.open(store)
            for line in keys.lines { writeLine(line) }
        }
    }
}

extension KeyStore {
    fileprivate var lines: [String] {
        var lines = ["index \(index.number), version \(version.number)"]
        for master in MasterKey.allCases {
            lines.append("  \(Hex.string(checkValue(of: master)))  \(master.words)")
        }
        return lines
    }
}

extension MasterKey {
    fileprivate var words: String {
        switch self {
        case .purchase: "purchase and petrol, MPK"
        case .tac: "transaction codes, MTK"
        case .greyUnlock: "unlock of a grey purse, MULKK"
        case .load: "load, MLK"
        case .unload: "unload, MULK"
        case .overdraft: "overdraft limit, MUK"
        case .pinReload: "PIN reload, of DRPK"
        case .pinUnblock: "PIN unblock, of DPUK"
        case .applicationMaintenance: "application maintenance, of DAMK"
        case .externalAuthentication: "external authentication"
        case .internalAuthentication: "internal authentication"
        }
    }
}
