import Codes
import Configuration
import Dispenser
import Files
import FuelPassbook
import Glibc
import Journal
import KeyCustody
import KeyFiles
import ParameterFiles
import Parameters
import Records
import StationInterface
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
            if let keys = configuration.keys { try Self.checkKeys(keys.store, of: configuration.terminal) }
            try Self.checkBlockedCards(beside: configuration.journal.path)
            try Self.checkInterface(configuration.interface)
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
        let folder = FilePath.folder(of: path)
        guard unsafe access(folder, W_OK | X_OK) == 0 else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.inputOutput,
                reason: "\(path): no file can be made in \(folder): \(systemError())",
                code: .service(.journalFailed)
            )
        }
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

    private static func checkKeys(_ path: String, of terminal: TerminalID) throws(ServiceFailure) {
        let reason: String?
        do throws(FileFault) {
            reason = try refusal(ofKeys: path, terminal).map { "\(path) \($0) [\($0.code.rawValue)]" }
        } catch {
            reason = error.reason
        }
        guard let reason else { return }
        throw ServiceFailure(
            exitStatus: ServiceFailure.inputOutput,
            reason: "keys: \(reason)",
            code: .keys(.keysFault)
        )
    }

    /// As far as it can be read without the storage key. Where there is no store, custodians are awaited.
    private static func refusal(ofKeys path: String, _ terminal: TerminalID) throws(FileFault) -> KeyStoreFault? {
        guard let bytes = try StoreFile(path).contents() else { return nil }
        do throws(KeyStoreFault) {
            switch try KeyStoreHeader(of: bytes).holder {
            case .terminal(let named): return named == terminal ? nil : .otherTerminal(named, expected: terminal)
            case .issuer: return .isIssuers
            }
        } catch {
            return error
        }
    }

    private static func checkBlockedCards(beside journal: String) throws(ServiceFailure) {
        do throws(FileFault) { _ = try BlockedCardsFile.opened(BlockedCardsFile.path(beside: journal)) } catch {
            throw ServiceFailure(exitStatus: ServiceFailure.inputOutput, reason: error.reason)
        }
    }

    private static func checkInterface(_ interface: Configuration.InterfaceSettings) throws(ServiceFailure) {
        do throws(SocketFault) {
            for place in [interface.read, interface.control].compactMap(\.self) { try place.requireGroup() }
        } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "interface: \(error.reason)",
                code: .service(.interfaceFailed)
            )
        }
    }
}
