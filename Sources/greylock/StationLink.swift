import ArgumentParser
import Configuration
import Console
import Foundation
import Station
import StationInterface
import Threads

/// A tool's line to the service that runs.
struct StationLink {
    /// A refusal, as the service words it.
    struct Refused: Decodable {
        let code: String
        let words: String
    }

    private struct Line<Body: Decodable>: Decodable {
        let answer: Body?
        let event: Body?
        let refused: Refused?
    }

    /// Of what is not done in time, and may be later (EX_TEMPFAIL).
    static let notInTime: Int32 = 75

    private let connection: StationConnection
    private let socket: SocketPlace

    /// - Parameter path: of the service's configuration.
    init(_ kind: SocketKind, configuration path: String) throws(ServiceFailure) {
        let interface = try Service.configuration(at: path).interface
        let place =
            switch kind {
            case .read: interface.read ?? interface.control
            case .control: interface.control
            }
        guard let place else {
            throw ServiceFailure(
                exitStatus: ServiceFailure.configuration,
                reason: "\(path): the service has no such socket: set interface.\(kind.rawValue)"
            )
        }
        do throws(StationConnection.Fault) { connection = try StationConnection(place.path) } catch {
            throw Self.failure(error, place)
        }
        socket = place
    }

    /// Of a user's key nobody else thinks of one.
    static func newKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(generator.next(), radix: 16) + String(generator.next(), radix: 16)
    }

    /// - Parameter members: of the request, behind its id.
    func ask<Body: Decodable>(
        _ command: String,
        _ members: [JSON.Member] = [],
        for: Body.Type,
        until deadline: UInt64 = StationLink.soon
    ) throws(ServiceFailure) -> Body {
        let request = [JSON.Member("id", .integer(1)), JSON.Member("command", .text(command))] + members
        do throws(StationConnection.Fault) { try connection.send(.object(request), until: deadline) } catch {
            throw Self.failure(error, socket)
        }
        return try next(until: deadline)
    }

    /// The next answer or event.
    func next<Body: Decodable>(until deadline: UInt64) throws(ServiceFailure) -> Body {
        let line: [UInt8]
        do throws(StationConnection.Fault) { line = try connection.nextLine(until: deadline) } catch {
            throw Self.failure(error, socket)
        }
        let read: Line<Body>
        do { read = try JSONDecoder().decode(Line<Body>.self, from: Data(line)) } catch {
            throw ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "\(socket.path): an answer that this version does not know: \(error)"
            )
        }
        if let refused = read.refused {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "\(refused.words) (\(refused.code))")
        }
        guard let body = read.answer ?? read.event else {
            throw ServiceFailure(exitStatus: ServiceFailure.unavailable, reason: "\(socket.path): an empty answer")
        }
        return body
    }

    /// For what the service answers at once.
    static var soon: UInt64 { deadline(seconds: 10) }

    static func deadline(seconds: Int) -> UInt64 { MonotonicClock.nanoseconds + UInt64(seconds) * 1_000_000_000 }

    private static func failure(_ fault: StationConnection.Fault, _ socket: SocketPlace) -> ServiceFailure {
        switch fault {
        case .noService(let reason):
            let group = socket.group.map { "members of the group \($0)" } ?? "the service's own user"
            return ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "\(reason): the service does not run, or this user may not ask it; \(group) may"
            )
        case .noAnswer: return ServiceFailure(exitStatus: notInTime, reason: "\(socket.path): no answer in time")
        case .ended:
            return ServiceFailure(
                exitStatus: ServiceFailure.unavailable,
                reason: "\(socket.path): the service ended it"
            )
        }
    }
}

/// What every tool that asks the service is told.
struct StationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The service's configuration, which names its sockets.", valueName: "FILE"))
    var config = "/etc/greylock.toml"

    /// Runs a tool's work, and ends it with what is said.
    func saying(_ tool: String, _ work: () throws(ServiceFailure) -> Void) throws {
        do throws(ServiceFailure) { try work() } catch {
            standardError("greylock \(tool): \(error.reason)")
            throw ExitCode(error.exitStatus)
        }
    }
}

/// The status as the service tells it.
struct StationReport: Codable {
    struct Journal: Codable {
        let openRecords: Int?
        let room: Int?
        let capacity: Int
    }

    struct Log: Codable {
        let level: String
        let user: String?
        /// In seconds since 1970 by UTC.
        let since: Int64?
    }

    struct Sale: Codable {
        let centilitres: Int
        let fen: Int
    }

    struct Side: Codable {
        let number: Int
        let nozzle: Int
        let grade: String
        let state: String
        let code: String
        let words: String
        let fenPerLitre: Int
        let sale: Sale?
    }

    let version: String
    let terminal: String
    let drained: Bool
    let log: Log
    let journal: Journal
    let sides: [Side]
}
