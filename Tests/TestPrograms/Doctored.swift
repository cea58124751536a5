private import Foundation
package import Testing

/// What `greylock doctor --json` said.
package struct Doctored: Decodable {
    package struct Finding: Decodable {
        package let code: String
        package let severity: String
        package let position: Int?
        package let saw: String
        package let mend: String
        package let page: String
    }

    package let verdict: String
    package let user: String
    package let findings: [Finding]

    /// - Parameters:
    ///   - before: a script of the shell that ends in `exec "$@"`, and makes the world in which doctor looks.
    package init(_ arguments: [String], before script: String = "exec \"$@\"") throws {
        let program = Program.folder.appendingPathComponent("greylock").path
        let run = try Run(script: script, [program, "doctor", "--json"] + arguments)
        self = try JSONDecoder().decode(Self.self, from: Data(run.output.utf8))
        let expected: Int32 = verdict == "well" ? 0 : verdict == "warnings" ? 1 : 2
        #expect(run.status == expected, "\(run.status): \(run.error)")
        let hasFault = findings.contains { $0.severity == "fault" }
        #expect(verdict == (hasFault ? "faults" : findings.isEmpty ? "well" : "warnings"))
    }

    package subscript(code: String) -> Finding? { findings.first { $0.code == code } }
}

/// A fault that is made, found by its code, mended as its advice says, and then not found any more.
///
/// - Parameters:
///   - saw: words that what was seen must have.
///   - look: runs doctor.
///   - mend: takes the finding, whose advice may be a command.
package func provoke(
    _ code: String,
    saw: String? = nil,
    _ look: () throws -> Doctored,
    fault: () throws -> Void,
    mend: (Doctored.Finding) throws -> Void,
    at location: SourceLocation = #_sourceLocation
) throws {
    let before = try look()
    #expect(before[code] == nil, "\(code) is found before it is there", sourceLocation: location)
    try fault()
    let during = try look()
    guard let finding = during[code] else {
        let found = during.findings.map { "\($0.code): \($0.saw)" }.joined(separator: "; ")
        Issue.record("\(code) is not found, but \(found)", sourceLocation: location)
        return
    }
    if let saw { #expect(finding.saw.contains(saw), "\(finding.saw)", sourceLocation: location) }
    try mend(finding)
    let after = try look()
    #expect(after[code] == nil, "\(code) is still found: \(after[code]?.saw ?? "")", sourceLocation: location)
}

/// Does what advice says, which is a command of the shell, or begins with one before a semicolon or comma.
package func follow(_ advice: Doctored.Finding, at location: SourceLocation = #_sourceLocation) throws {
    let run = try Run(script: advice.mend, [])
    #expect(run.status == 0, "\(advice.mend): \(run.error)", sourceLocation: location)
}
