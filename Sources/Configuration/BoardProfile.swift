private import Files
package import GPIO
private import Glibc
package import Threads

/// Which lines of a kind of board a pump may have, and what its wiring asks for: a file of `board/profiles`.
package struct BoardProfile: Sendable {
    /// Where a package puts profiles; there they are called by their names.
    package static let folder = "/usr/share/greylock/profiles"
    /// And their overlays.
    package static let overlays = "/usr/share/greylock/overlays"
    /// And its examples.
    package static let examples = "/usr/share/doc/greylock/examples"
    private static let suffix = ".toml"

    /// "Raspberry Pi 4 Model B"
    package let board: String
    /// The first text of the device tree's `compatible`.
    package let compatible: String
    /// The device-tree overlay's name, without its suffix; nil where the lines need none.
    package let overlay: String?
    /// Outputs that need a resistor to their inactive level.
    package let resistors: [GPIORole]
    /// What makes the kernel let go of an output when its program was killed; empty where nothing needs to, or can.
    package let strictGPIOD: [String]
    /// Where each line that a pump may have is on the board.
    package let pins: [LinePlace: String]
    /// By their numbers, from 1 on.
    package let sides: [GPIOWiring]

    /// The chips that its lines are on.
    package var chips: [String] {
        sides.map(\.chip).reduce(into: []) { chips, chip in if !chips.contains(chip) { chips.append(chip) } }
    }

    /// Where a line of the chip is, by its name or its offset.
    package func pin(of line: ChipLine) -> String? {
        line.name.flatMap { pins[.name($0)] } ?? pins[.offset(line.offset)]
    }
}

extension BoardProfile {
    /// - Parameter file: the name that stands in an error.
    package init(toml bytes: [UInt8], file: String) throws(ConfigurationError) {
        self = try ConfigurationDocument(file: file, bytes: bytes).read(BoardProfile.init)
    }

    private init(reading root: ConfigurationTable) {
        board = root.value("board", .text(1...60))
        compatible = root.value("compatible", .text(1...60))
        overlay = root.optional("overlay", .text(1...60))
        resistors = root.list("resistors", Setting<GPIORole>.word(\.key), countMax: GPIORole.allCases.count) ?? []
        strictGPIOD = root.list("strict_gpiod", .text(1...200), countMax: 4) ?? []
        pins = root.texts("pins", .text(1...20)).reduce(into: [:]) { pins, entry in
            pins[Int(entry.key).map { .offset($0) } ?? .name(entry.key)] = entry.value
        }
        let tables = root.numberedTables("side", 1...8, countMax: 8)
        sides = tables.map { GPIOWiring(reading: $0.table) }
        check(tables)
    }

    private func check(_ tables: [(number: Int, table: ConfigurationTable)]) {
        for (index, side) in tables.enumerated() {
            if side.table.isSound, side.number != index + 1 {
                side.table.noteConflict("chip", "sides from 1 on without a gap")
            }
            for (role, place) in sides[index].places where side.table.isSound && pins[place] == nil {
                side.table.noteConflict(role.key, "a line of [pins]")
            }
            for (other, wiring) in sides[..<index].enumerated() where side.table.isSound {
                sides[index].requireOwnLines(beside: wiring, "side \(other + 1)", side.table)
            }
        }
    }
}

extension BoardProfile {
    /// Blocks while the file is read.
    ///
    /// - Parameter name: as in ``folder``, or the path of a file, which has a slash or ends as its name does.
    package static func load(_ name: String) throws(ServiceFailure) -> BoardProfile {
        let isPath = name.contains("/") || name.hasSuffix(suffix)
        do throws(ConfigurationError) {
            let path = isPath ? name : "\(folder)/\(name)\(suffix)"
            return try BoardProfile(toml: ConfigurationDocument.contents(of: path), file: path)
        } catch  where error.isUnread {
            let advice = isPath ? "there is no such file, or this user may not read it" : advice(for: name)
            throw ServiceFailure(exitStatus: ServiceFailure.configuration, reason: "no profile \(name): \(advice)")
        } catch {
            throw ServiceFailure(error)
        }
    }

    private static func advice(for name: String) -> String {
        let installed = installed()
        guard installed.isEmpty else {
            return "give one of \(installed.joined(separator: ", ")), or the path of another"
        }
        return "\(folder) has none, so give the path of one, in the sources board/profiles/\(name)\(suffix)"
    }

    /// The names of those that a package brought.
    package static func installed() -> [String] {
        Folder.names(in: folder).filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
    }

    /// The name of the one that is this board's; nil where none is.
    package static func ofThisBoard() throws(ServiceFailure) -> String? {
        let compatible: String?
        do throws(FileFault) {
            // The firmware's list parts its texts by zeros.
            compatible = try WholeFile.contents("/sys/firmware/devicetree/base/compatible", bytesMax: 1_024)
                .map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
        guard let compatible else { return nil }
        for name in installed() where try load(name).compatible == compatible { return name }
        return nil
    }
}
