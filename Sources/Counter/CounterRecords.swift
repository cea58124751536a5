private import CardCryptography
private import FuelPassbook
package import Records
package import SecurityModule

extension GreyRecordFile {
    /// A file that `greylock records export` made, believed by its code.
    ///
    /// - Parameter keys: of the scheme; the code and the seals for the way are drawn from one of them.
    /// - Throws: `.data` for any other file.
    package static func carried(_ bytes: [UInt8], keys: KeyHolder) throws(CounterStop) -> GreyRecordFile {
        var raw = SystemRandom().secret(DoubleLengthKey.length)
        raw.setOddParity()
        // The GMACs are no use without a terminal: nobody opens them again.
        let module = SecurityModule(
            terminal: TerminalID(0),
            keys: keys,
            recordKey: RecordKey(raw, as: KeyReference(index: KeyIndex(0), version: KeyVersion(0))),
            random: SystemRandom()
        )
        do throws(GreyRecordFileFault) { return try module.greyRecordFile(parsing: bytes) } catch {
            throw .data(error.reason)
        }
    }
}
