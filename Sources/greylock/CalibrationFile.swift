import CardCryptography
import Console
import Files
import Proving
import Records
import Threads

/// A session in its file: whole under its name after each step, whenever the power goes.
final class CalibrationFile {
    let path: String
    private let key: CodeKey

    init(_ path: String, _ recordKey: RecordKey) {
        self.path = path
        key = recordKey.provingKey()
    }

    /// nil where there is no file.
    func read() throws(ServiceFailure) -> CalibrationSession? {
        let bytes = try KeyTool.stored { () throws(FileFault) in
            try WholeFile.contents(path, bytesMax: CalibrationSession.bytesMax, isReplaced: true)
        }
        guard let bytes else { return nil }
        do throws(ProvingFault) { return try CalibrationSession(parsing: bytes, under: key) } catch {
            throw ServiceFailure(exitStatus: KeyTool.refused, reason: "\(path): \(error.reason)")
        }
    }

    func write(_ session: CalibrationSession) throws(ServiceFailure) {
        try KeyTool.stored { () throws(FileFault) in try WholeFile.replace(path, with: session.bytes(under: key)) }
    }

    func html(_ report: Report) -> String { report.html(under: key) }

    func json(_ report: Report) -> String { report.json(under: key) }

    static func check(_ bytes: [UInt8], _ recordKey: RecordKey) -> Report.Check {
        Report.check(bytes, recordKey.provingKey())
    }
}
