import CardCryptography

/// A key of published or derived bytes. The array is wiped.
func doubleLengthKey(_ bytes: [UInt8]) -> DoubleLengthKey {
    var bytes = bytes
    return DoubleLengthKey(LockedBuffer(wiping: &bytes))
}

func singleLengthKey(_ bytes: [UInt8]) -> SingleLengthKey {
    var bytes = bytes
    return SingleLengthKey(LockedBuffer(wiping: &bytes))
}
