package import FuelPassbook

extension ApplicationSerialNumber {
    /// How many digits are shown where anybody may look.
    private static let digitsShown = 4

    /// For displays, receipts and logs: the last four digits. The whole number stands in records alone.
    package var masked: String { "****" + "\(self)".suffix(Self.digitsShown) }
}
