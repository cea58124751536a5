import ISO7816
import Records

/// Under which program and parameters a record began.
struct IdentificationLine: Codable {
    let version: String
    let programSHA256: String
    let parametersVersion: Int
    let parametersHash: String

    init(_ identification: SoftwareIdentification) {
        version = identification.version
        programSHA256 = Hex.string(identification.program)
        parametersVersion = identification.parametersVersion
        parametersHash = Hex.string(identification.parameters)
    }
}
