private import CGPIOD
private import Files
private import Glibc

/// The GPIO chips under `/dev`.
enum ChipDirectory {
    private static let directory = "/dev"

    /// Opens the chip of this path, name or label.
    static func open(_ chip: String) throws(GPIOFault) -> Chip {
        if chip.utf8.contains(UInt8(ascii: "/")) { return try Chip(path: chip) }
        var named: [String] = []
        for path in paths() {
            if path == "\(directory)/\(chip)" { return try Chip(path: path) }
            if try Chip(path: path).label == chip { named.append(path) }
        }
        guard let path = named.first else { throw .noSuchChip(chip, present: descriptions()) }
        guard named.count == 1 else { throw .ambiguousChip(chip, named: named) }
        return try Chip(path: path)
    }

    /// Opens the chip that had this name and label, whatever its name is now.
    static func open(name: String, label: String) throws(GPIOFault) -> Chip {
        let path = "\(directory)/\(name)"
        if unsafe gpiod_is_gpiochip_device(path) {
            let chip = try Chip(path: path)
            if chip.label == label { return chip }
        }
        for path in paths() {
            do throws(GPIOFault) {
                let chip = try Chip(path: path)
                if chip.label == label { return chip }
            } catch {
                // Another chip than ours may be forbidden to this user.
                continue
            }
        }
        throw .noSuchChip("\(name) (\(label))", present: descriptions())
    }

    /// Name and label of each chip that this user may open; of the others the path.
    static func descriptions() -> [String] {
        paths().map { path in
            do throws(GPIOFault) {
                let chip = try Chip(path: path)
                return "\(chip.name) (\(chip.label))"
            } catch {
                return path
            }
        }
    }

    /// The corresponding C function is `gpiod_is_gpiochip_device`.
    private static func paths() -> [String] {
        Folder.names(in: directory).filter { $0.hasPrefix("gpiochip") }.map { "\(directory)/\($0)" }
            .filter { unsafe gpiod_is_gpiochip_device($0) }
    }
}
