import Codes
import Configuration
import Dispenser
import Files
import Journal
import ParameterFiles
import Parameters
import Records
package import Threads
import Words

extension ServiceProgram {
    /// Whether this program could serve with the configuration at `path` and what it names: asked before a service takes over a
    /// configuration or another version of the program. Changes nothing, and disturbs no service.
    ///
    /// - Returns: what was found in order, in words.
    /// - Throws: what is not, said to standard error already.
    package func check(configuration path: String) throws(ServiceFailure) -> String {
        let streams = ServiceStreams()
        do throws(ServiceFailure) {
            let configuration = try Service.configuration(at: path)
            for side in configuration.sides { try Service.requireRealEdges(side) }
            try Self.checkJournal(configuration.journal.path)
            try Self.checkParameters(configuration.parameters.path)
            let sides = configuration.sides.map { "\($0.number)" }.joined(separator: ", ")
            return "\(path): in order, with position \(sides), for version \(Release.version)"
        } catch {
            streams.say(name, error.reason, error.code)
            streams.drain()
            throw error
        }
    }

    /// One that is not there is made at the start.
    private static func checkJournal(_ path: String) throws(ServiceFailure) {
        guard FileStamp(path) != nil else { return }
        do throws(StorageFault) { _ = try JournalReader(path: path) } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(path): \(error)",
                code: error.code
            )
        }
    }

    private static func checkParameters(_ path: String) throws(ServiceFailure) {
        do throws(ParameterRefusal) { _ = try ParameterFile(path).read() } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(path): \(error.words)",
                code: .parameters(error.code)
            )
        }
    }
}
