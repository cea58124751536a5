import CardCryptography
import FuelPassbook
package import Records

// Files in which grey records travel from one terminal of a scheme to another. What those share is a master key: any of them
// that holds it believes the code, and opens the GMACs, which are sealed for the way: a journal's own seals are under the record
// key of one terminal.

extension SecurityModule {
    /// - Parameter records: of this terminal's own sales.
    /// - Throws: ``GreyRecordFileFault`` without any master key, and for more than a file holds.
    package func greyRecordFile(_ records: [GreyRecord]) throws(GreyRecordFileFault) -> [UInt8] {
        guard let newest = keys.newest else { throw GreyRecordFileFault("no master key is loaded") }
        let text: [UInt8]
        do throws(SecurityModuleError) {
            let travel = try keys.travelKey(newest)
            let way = TerminalSeal(onTheWay: travel, of: terminal)
            let file = try GreyRecordFile(terminal: terminal, key: newest, records).sealed {
                gmac throws(SecurityModuleError) in
                way.seal(try open(gmac), as: gmac, random: random)
            }
            text = file.text(code: greyRecordCode(of: file.body, travel))
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
        let file = try GreyRecordFile(parsing: bytes) { (body, code, reference) throws(GreyRecordFileFault) in
            do throws(SecurityModuleError) {
                return greyRecordCode(of: body, try keys.travelKey(reference)).isValid(code)
            } catch .keyNotLoaded {
                return nil
            } catch {
                throw GreyRecordFileFault("\(error)")
            }
        }
        do throws(SecurityModuleError) {
            let way = TerminalSeal(onTheWay: try keys.travelKey(file.key), of: file.terminal)
            return try file.sealed { gmac throws(SecurityModuleError) in
                guard let mac = way.mac(in: gmac) else { throw .sealBroken }
                return recordKey.seal(of: gmac.terminal).seal(mac, as: gmac, random: random)
            }
        } catch {
            throw GreyRecordFileFault("\(error)")
        }
    }

    private func greyRecordCode(of body: [UInt8], _ travel: borrowing DoubleLengthKey) -> StoredCode {
        CodeKey(from: travel, label: "GL-GREY").code(of: body)
    }
}
