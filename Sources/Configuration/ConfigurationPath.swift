/// The way to a value: keys of tables, and elements of arrays.
struct ConfigurationPath: Hashable {
    enum Step: Hashable {
        case key(String)
        /// From 0.
        case element(Int)
    }

    /// Two levels more than the deepest setting has.
    static let depthMax = 8

    static let root = ConfigurationPath(steps: [])

    private(set) var steps: [Step]

    var parent: ConfigurationPath { ConfigurationPath(steps: steps.dropLast()) }

    func appending(_ step: Step) -> ConfigurationPath { ConfigurationPath(steps: steps + [step]) }
}

extension ConfigurationPath: CustomStringConvertible {
    var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key):
                let isBare = !key.isEmpty && key.utf8.allSatisfy(Self.isBareKeyCharacter)
                text += (text.isEmpty ? "" : ".") + (isBare ? key : quoted(key))
            case .element(let index): text += "[\(index + 1)]"
            }
        }
        return text
    }

    private static func isBareKeyCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        case _: false
        }
    }
}
