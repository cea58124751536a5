import ArgumentParser
import Dispenser
import FuelPassbook
import Quantities

/// Litres or yuan with up to two decimals, kept in hundredths; nothing is rounded.
struct Hundredths: ExpressibleByArgument {
    let count: Int

    init(count: Int) { self.count = count }

    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        guard
            (1...2).contains(parts.count), (1...5).contains(parts[0].utf8.count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }),
            let whole = Int(parts[0])
        else { return nil }
        var fraction = 0
        if parts.count == 2 {
            guard (1...2).contains(parts[1].utf8.count), let digits = Int(parts[1]) else { return nil }
            fraction = parts[1].utf8.count == 1 ? digits * 10 : digits
        }
        count = whole * 100 + fraction
    }
}

/// Litres as one types them: `8`, `8.5` or `8L`.
struct Litres: ExpressibleByArgument {
    let centilitres: Int

    init(centilitres: Int) { self.centilitres = centilitres }

    init?(argument: String) {
        let isUnitGiven = argument.hasSuffix("L") || argument.hasSuffix("l")
        guard let litres = Hundredths(argument: isUnitGiven ? String(argument.dropLast()) : argument) else {
            return nil
        }
        centilitres = litres.count
    }

    var defaultValueDescription: String {
        let digits = "\(centilitres % 100 / 10)\(centilitres % 10)"
        return centilitres % 100 == 0 ? "\(centilitres / 100)L" : "\(centilitres / 100).\(digits)L"
    }
}

/// A preset: `20L` for litres, `100` or `100yuan` for money.
struct PresetArgument: ExpressibleByArgument {
    let preset: Preset

    init?(argument: String) {
        if argument.hasSuffix("L") || argument.hasSuffix("l") {
            guard let litres = Hundredths(argument: String(argument.dropLast())), litres.count > 0 else { return nil }
            preset = Preset(centilitres: litres.count)
        } else {
            let number = argument.hasSuffix("yuan") ? String(argument.dropLast(4)) : argument
            guard let yuan = Hundredths(argument: number), yuan.count > 0 else { return nil }
            preset = Preset(amount: Amount(fen: UInt32(yuan.count)))
        }
    }
}
