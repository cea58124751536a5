import ArgumentParser
import CardWorkshop
import Console
import FuelPassbook
import ISO7816
import Issuer
import KeyCustody
import Quantities
import Station
import Threads

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keys: a terminal's own, and the issuer's, which cards are made with.",
        subcommands: [
            KeysGenerate.self, KeysVerify.self, KeysLoad.self, KeysList.self, KeysReceipt.self, KeysActivate.self,
            KeysRetire.self, KeysErase.self, KeysRewrap.self, KeysNew.self, KeysAdd.self, KeysWrap.self, KeysShow.self,
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

            Another version of the same scheme is added with greylock keys add.

            Exit status: 0 when the file is on the disk, 1 when no passphrase was typed, 69 without a terminal or with a clock \
            that is not set, 74 when the file cannot be made. \(ExitStatusHelp.common)
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
            let reference = KeyReference(index: KeyIndex(index), version: KeyVersion(version))
            let keys = try KeyStoreFile.create(store, reference, at: KeyTool.now())
            writeLine("new keys are in \(store)")
            for line in keys.newest.lines { writeLine(line) }
            writeLine(
                "a card is made with them by keys = \"\(store.contains("/") ? store : "./\(store)")\" in its profile"
            )
        }
    }
}

struct KeysAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make new master keys of another version in a key store that is there.",
        discussion: """
            The versions that it has stay as they are: their cards are served and serviced as before. From now on cards are made, and \
            key blocks wrapped, with the new one, unless another is asked for. The file is replaced whole: keep a copy of it \
            in the place of the copy before.

            Exit status: 0 when the file is on the disk, 1 when no passphrase was typed, 65 when the store has this version or is \
            full, 69 without a terminal or with a clock that is not set, 74 when the file cannot be read or written or does \
            not open, or another program changes it. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The file that keeps the keys.", valueName: "FILE"))
    var store: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which generation the new keys are, 0 to 255.", valueName: "NUMBER")
    )
    var version: UInt8

    func run() throws {
        try runTool("keys add") { () throws(ServiceFailure) in
            let now = try KeyTool.now()
            let keys = try KeyStoreFile.change(store) { (keys) throws(ServiceFailure) in
                do throws(VersionFault) { try keys.add(KeyVersion(version), at: now) } catch {
                    throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(store) \(error.words)")
                }
            }
            writeLine("version \(version) is added to \(store), change \(keys.number.change)")
            for line in keys.newest.lines { writeLine(line) }
        }
    }
}

extension VersionFault {
    fileprivate var words: String {
        switch self {
        case .isThere(let version): "has version \(version.number) already: choose another number; nothing was changed"
        case .full: "has \(KeyStore.versionsMax) versions, and room for no more: nothing was changed"
        }
    }
}

struct KeysShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "What a key store holds: names and check values, never keys.",
        discussion: """
            The passphrase is asked for at the terminal. Versions stand in the order in which they were added, the newest last. A \
            check value is the left 3 bytes of eight zero bytes under the key.

            Exit status: 0, 1 when no passphrase was typed, 69 without a terminal, 74 when the file cannot be read or \
            does not open. \(ExitStatusHelp.common)
            """
    )

    @Option(help: ArgumentHelp("The file that keeps the keys.", valueName: "FILE"))
    var store: String

    func run() throws {
        try runTool("keys show") { () throws(ServiceFailure) in
            let keys = try KeyStoreFile.open(store)
            writeLine("\(store), change \(keys.number.change), versions: \(keys.versions.count)")
            for set in keys.versions {
                let state = set.reference == keys.newest.reference ? ", newest" : ""
                let made = set.made == .unknown ? "" : ", made \(set.made) UTC"
                for (place, line) in set.lines.enumerated() { writeLine(place == 0 ? line + state + made : line) }
            }
        }
    }
}

extension MasterSet {
    fileprivate var lines: [String] {
        var lines = ["index \(reference.index.number), version \(reference.version.number)"]
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
