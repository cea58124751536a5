import CardCryptography
import FuelPassbook
import ISO7816

// What the card tells without changing anything.

extension CardApplication {
    func readBinary(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let content: [UInt8]
        switch command.header.p1 & 0x1F {
        case PublicApplicationFile.shortIdentifier: content = image.file.bytes
        case HolderFile.shortIdentifier: content = image.holder.bytes
        case _: throw .fileNotFound
        }
        let rest = content.dropFirst(Int(command.header.p2))
        guard !rest.isEmpty, let length = command.expectedLength else { throw .wrongOffset }
        guard length == 256 || length <= rest.count else { throw .wrongExpectedLength(rest.count) }
        return Array(rest.prefix(length))
    }

    /// The newest record is number 1.
    func readRecord(_ command: CommandAPDU) throws(StatusWord) -> [UInt8] {
        let wanted = ReadRecord(command.header)
        guard wanted.file == LogRecord.shortIdentifier else { throw .fileNotFound }
        guard wanted.number > 0, wanted.number <= image.log.count else {
            throw .recordNotFound
        }
        let length = command.expectedLength
        guard length == 256 || length == LogRecord.length else { throw .wrongExpectedLength(LogRecord.length) }
        return image.log[Int(wanted.number) - 1].bytes
    }

    func getTransactionProve(_ command: CommandAPDU) throws(StatusWord) -> TransactionProof {
        let wanted = try parsed { () throws(ParseError) in try GetTransactionProve(parsing: command) }
        let kept = image.proofs.first { $0.type == wanted.type && $0.number == wanted.number }
        guard let kept else { throw .proofNotAvailable }
        return TransactionProof(mac: MAC(bytes: kept.mac), tac: MAC(bytes: kept.tac))
    }
}
