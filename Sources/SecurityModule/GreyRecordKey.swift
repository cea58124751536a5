import CardCryptography
package import FuelPassbook
import Quantities
package import Records

// Files in which grey records travel from one terminal of a scheme to another: any terminal with the same master key believes
// their code.

extension MasterKeys {
    /// - Parameter records: of this terminal's own sales.
    /// - Returns: nil without any master key.
    package func greyRecordFile(_ terminal: TerminalID, _ records: [GreyRecord]) -> [UInt8]? {
        guard let newest, let key = self[newest] else { return nil }
        let file = GreyRecordFile(terminal: terminal, key: newest, records)
        return file.text(code: key.greyRecords.code(of: file.body))
    }

    /// - Throws: ``GreyRecordFileFault`` also when its code is wrong, or a GMAC in it is not what it says.
    package func greyRecordFile(
        parsing bytes: [UInt8],
        at terminal: TerminalID
    ) throws(GreyRecordFileFault) -> GreyRecordFile {
        let file = try GreyRecordFile(parsing: bytes) { body, code, reference in
            self[reference].map { $0.greyRecords.code(of: body).isValid(code) }
        }
        let module = SecurityModule(terminal: terminal, masterKeys: self, random: SystemRandom())
        for entry in file.entries {
            do throws(SecurityModuleError) { _ = try module.open(entry.gmac) } catch {
                throw GreyRecordFileFault("record \(entry.gmac.ttc.number): \(error)")
            }
        }
        return file
    }
}
