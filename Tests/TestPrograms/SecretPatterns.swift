private import COpenSSL
private import ISO7816

/// One secret, and every form in which it is looked for.
///
/// Each form has at least 6 bytes. Of 10 MB of random bytes, 6 would be met by chance once in 30 million searches; a
/// round key of 8 bytes has 48 random bits too. The forms of a key that libcrypto computes with in registers, its
/// halves permuted, are not among them: what covers them is that the whole stack below is overwritten.
package struct SecretPatterns {
    package static let lengthMin = 6

    package let name: String
    /// The secret's own bytes, and texts of them.
    package let plain: [[UInt8]]
    /// What a cipher makes of it before it is used.
    package let schedule: [[UInt8]]

    package var all: [[UInt8]] { plain + schedule }

    /// A DES key of 8 bytes: also with its 32-bit halves exchanged, as hexadecimal digits in ASCII and as values, and
    /// its sixteen round keys as libcrypto lays them out.
    package init(_ name: String, des key: [UInt8]) {
        precondition(key.count == 8)
        self.name = name
        let digits = Hex.string(key).utf8.filter { $0 != UInt8(ascii: " ") }
        plain = [
            key, Array(key.suffix(4) + key.prefix(4)), digits,
            digits.map { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) ? $0 + 0x20 : $0 },
            key.flatMap { [$0 >> 4, $0 & 0x0F] },
        ]
        let expanded = Self.expandedDES(key)
        schedule = stride(from: 0, to: expanded.count, by: 8).map { Array(expanded[$0..<$0 + 8]) }
    }

    /// An AES-256 key of 32 bytes, in eights, and the round keys that are not the key itself, in both byte orders.
    package init(_ name: String, aes256 key: [UInt8]) {
        precondition(key.count == 32)
        self.name = name
        plain = stride(from: 0, to: 32, by: 8).map { Array(key[$0..<$0 + 8]) }
        let words = AES256Schedule.words(of: key)
        schedule = stride(from: 8, to: words.count, by: 4).flatMap { start in
            let round = words[start..<start + 4]
            return [round.flatMap(\.self), round.flatMap { $0.reversed() }]
        }
    }

    /// A component of an AES-256 key, also as its custodian types it: group by group with check digits, and without; and what three
    /// groups make.
    ///
    /// - Parameter sheet: its groups, "A1B2-4", with blanks between them.
    package init(_ name: String, aes256Component raw: [UInt8], sheet: String) {
        let key = Self(name, aes256: raw)
        let groups = sheet.split(separator: " ").map(String.init)
        let pairs = stride(from: 0, to: groups.count, by: 2).map { groups[$0..<$0 + 2] }
        let typed = pairs.flatMap { pair in
            let digits = pair.map { $0.prefix(4) }.joined()
            return [pair.joined(separator: " "), pair.joined().replacing("-", with: ""), digits, digits.lowercased()]
        }
        let values = Hex.string(raw).utf8.filter { $0 != UInt8(ascii: " ") }.map { $0 < 0x40 ? $0 & 0xF : $0 & 0xF + 9 }
        self.name = name
        plain =
            key.plain + [Array(raw.prefix(Self.lengthMin))] + typed.map { Array($0.utf8) }
            + stride(from: 0, to: 64, by: 8).map { Array(values[$0..<$0 + 8]) }
        schedule = key.schedule
    }

    /// What is typed, as it is.
    package init(_ name: String, text: String) {
        precondition(text.utf8.count >= Self.lengthMin)
        self.name = name
        plain = [Array(text.utf8)]
        schedule = []
    }

    /// A PIN of 12 digits: as typed, as digits' values, and packed as VERIFY carries it.
    package init(pin digits: String) {
        precondition(digits.utf8.count == 12)
        name = "PIN"
        let values = digits.utf8.map { $0 - UInt8(ascii: "0") }
        plain = [
            Array(digits.utf8), values,
            stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] },
        ]
        schedule = []
    }

    private static func expandedDES(_ key: [UInt8]) -> [UInt8] {
        var schedule = DES_key_schedule()
        unsafe key.withUnsafeBufferPointer { bytes in
            // SAFETY: a DES_cblock is eight bytes, and the function only reads them.
            unsafe bytes.baseAddress?.withMemoryRebound(to: const_DES_cblock.self, capacity: 1) { block in
                unsafe DES_set_key_unchecked(UnsafeMutablePointer(mutating: block), &schedule)
            }
        }
        return unsafe withUnsafeBytes(of: &schedule) { unsafe Array($0) }
    }
}

/// FIPS 197, 5.2, for keys of 32 bytes.
package enum AES256Schedule {
    /// The 60 words, of 4 bytes each.
    package static func words(of key: [UInt8]) -> [[UInt8]] {
        var words = stride(from: 0, to: 32, by: 4).map { Array(key[$0..<$0 + 4]) }
        var constant: UInt8 = 1
        for index in 8..<60 {
            var word = words[index - 1]
            if index % 8 == 0 {
                word = (word[1...] + word[..<1]).map { substitutions[Int($0)] }
                word[0] ^= constant
                constant <<= 1
            } else if index % 8 == 4 {
                word = word.map { substitutions[Int($0)] }
            }
            words.append(zip(words[index - 8], word).map { $0 ^ $1 })
        }
        return words
    }

    /// FIPS 197, 5.1.1: the inverse in GF(2^8), then the affine transformation. `p` runs through the powers of 3, `q`
    /// through those of its inverse.
    private static let substitutions: [UInt8] = {
        var table = [UInt8](repeating: 0x63, count: 256)
        var (p, q) = (UInt8(1), UInt8(1))
        repeat {
            p ^= p << 1 ^ (p & 0x80 == 0 ? 0 : 0x1B)
            q ^= q << 1
            q ^= q << 2
            q ^= q << 4
            if q & 0x80 != 0 { q ^= 0x09 }
            var value = q ^ 0x63
            for shift in UInt8(1)...4 { value ^= q << shift | q >> (8 - shift) }
            table[Int(p)] = value
        } while p != 1
        return table
    }()
}
