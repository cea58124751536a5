/// A number modulo the prime 2^61 - 1.
struct PrimeField: Equatable, Sendable {
    static let modulus: UInt64 = (1 << 61) - 1
    static let zero = PrimeField(UInt64(0))

    let value: UInt64

    init(_ number: UInt64) { value = number % Self.modulus }

    init(key: Int64) { self.init(key >= 0 ? UInt64(key) : Self.modulus - key.magnitude % Self.modulus) }

    static func + (left: PrimeField, right: PrimeField) -> PrimeField { PrimeField(left.value + right.value) }

    static func - (left: PrimeField, right: PrimeField) -> PrimeField {
        PrimeField(left.value + modulus - right.value)
    }

    static func * (left: PrimeField, right: PrimeField) -> PrimeField {
        let product = left.value.multipliedFullWidth(by: right.value)
        return PrimeField(modulus.dividingFullWidth(product).remainder)
    }

    /// By Fermat; `divisor` is not zero.
    static func / (left: PrimeField, divisor: PrimeField) -> PrimeField {
        precondition(divisor != .zero)
        var (power, base, exponent) = (PrimeField(UInt64(1)), divisor, modulus - 2)
        while exponent > 0 {
            if exponent & 1 == 1 { power = power * base }
            base = base * base
            exponent >>= 1
        }
        return left * power
    }
}

/// What all rows of a class add up to. An older row put back, and a row that is gone, change it; one alone is found by the
/// quotient of both sums, which is its key. The summands are the halves of the codes that are stored nowhere.
struct RowSums: Equatable, Sendable {
    private(set) var rows: Int64
    private(set) var sum: PrimeField
    /// Each code times its key.
    private(set) var weighted: PrimeField

    static let zero = RowSums(rows: 0, sum: .zero, weighted: .zero)
    static let length = 24

    private init(rows: Int64, sum: PrimeField, weighted: PrimeField) {
        self.rows = rows
        self.sum = sum
        self.weighted = weighted
    }

    mutating func add(_ hidden: UInt64, key: Int64) {
        rows &+= 1
        sum = sum + PrimeField(hidden)
        weighted = weighted + PrimeField(hidden) * PrimeField(key: key)
    }

    mutating func remove(_ hidden: UInt64, key: Int64) {
        rows &-= 1
        sum = sum - PrimeField(hidden)
        weighted = weighted - PrimeField(hidden) * PrimeField(key: key)
    }

    static func - (left: RowSums, right: RowSums) -> RowSums {
        RowSums(rows: left.rows &- right.rows, sum: left.sum - right.sum, weighted: left.weighted - right.weighted)
    }

    /// Of a difference: the key of the one row that makes it; nil where there are several.
    var onlyKey: Int64? {
        guard sum != .zero, (-1...1).contains(rows) else { return nil }
        let key = (weighted / sum).value
        return key <= UInt64(UInt32.max) ? Int64(key) : nil
    }

    func append(to bytes: inout [UInt8]) {
        for number in [UInt64(bitPattern: rows), sum.value, weighted.value] { BigEndian.append(number, to: &bytes) }
    }

    /// - Parameter bytes: ``length`` of them from `offset` on.
    init(_ bytes: [UInt8], at offset: Int = 0) {
        rows = Int64(bitPattern: BigEndian.number(bytes, at: offset))
        sum = PrimeField(BigEndian.number(bytes, at: offset + 8))
        weighted = PrimeField(BigEndian.number(bytes, at: offset + 16))
    }
}

enum BigEndian {
    static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    /// - Parameter bytes: eight of them from `offset` on.
    static func number(_ bytes: [UInt8], at offset: Int) -> UInt64 {
        bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
