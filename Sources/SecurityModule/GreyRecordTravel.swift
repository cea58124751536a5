import CardCryptography
import FuelPassbook
package import Records

// Files in which grey records travel from one terminal of a scheme to another. What those share is a master key: any of them
// that holds it believes the code. The GMACs in it are under the seals of the terminal that made them.

extension SecurityModule {
    /// - Parameter records: of this terminal's own sales.
    /// - Throws: ``GreyRecordFileFault`` without any master key, and for more than a file holds.
    package func greyRecordFile(_ records: [GreyRecord]) throws(GreyRecordFileFault) -> [UInt8] {
        guard let newest = newestKey else { throw GreyRecordFileFault("no master key is loaded") }
        let file = GreyRecordFile(terminal: terminal, key: newest, records)
        let text: [UInt8]
        do throws(SecurityModuleError) {
            text = file.text(code: try keys.greyRecordCode(of: file.body, newest))
        } catch {
            throw GreyRecordFileFault("\(error)")
        }
        guard text.count <= GreyRecordFile.bytesMax else {
            throw GreyRecordFileFault("more records are open than a file holds: export those of one card")
        }
        return text
    }

    /// - Throws: ``GreyRecordFileFault`` also when its code is wrong, or a GMAC in it is not what it says.
    package func greyRecordFile(parsing bytes: [UInt8]) throws(GreyRecordFileFault) -> GreyRecordFile {
        let file = try GreyRecordFile(parsing: bytes) { body, code, reference in
            do throws(SecurityModuleError) {
                return try keys.greyRecordCode(of: body, reference).isValid(code)
            } catch {
                return nil
            }
        }
        for entry in file.entries {
            do throws(SecurityModuleError) { _ = try open(entry.gmac) } catch {
                throw GreyRecordFileFault("record \(entry.gmac.ttc.number): \(error)")
            }
        }
        return file
    }

    /// The last version of the first index.
    private var newestKey: KeyReference? {
        keys.references.min {
            $0.index == $1.index ? $0.version.number > $1.version.number : $0.index.number < $1.index.number
        }
    }
}
