import Configuration
import Glibc
import Station
import StationInterface
import Threads

/// The sockets of a configuration, and what the service says there.
struct DoctorInterface {
    let configuration: Configuration
    /// Of its file.
    let path: String
    let account: Account
    /// Whether a service is known to run with it.
    let isServing: Bool
    let unit: ServiceUnit?

    /// - Returns: nil where the service does not tell.
    static func status(_ configuration: Configuration, _ path: String) -> Result<StationReport, ServiceFailure>? {
        guard let socket = configuration.interface.read ?? configuration.interface.control,
            unsafe access(socket.path, R_OK | W_OK) == 0
        else { return nil }
        do throws(ServiceFailure) {
            return .success(try StationLink(.read, configuration: path).ask("status", for: StationReport.self))
        } catch {
            return .failure(error)
        }
    }

    func examine(_ status: Result<StationReport, ServiceFailure>?, _ diagnosis: inout Diagnosis) {
        let sockets = [configuration.interface.read, configuration.interface.control].compactMap(\.self)
        if !isServing, unit == nil { diagnosis.miss(.service, "no service runs with this configuration") }
        for socket in sockets { examine(socket, &diagnosis) }
        switch status {
        case .success(let report): examine(report, &diagnosis)
        case .failure(let failure):
            // One that a killed service left is replaced at the next start.
            if isServing { diagnosis.find(.serviceSilent, failure.reason) }
        case nil:
            guard let socket = sockets.first else {
                return diagnosis.miss(.service, "\(path) has no [interface], so the service cannot be asked")
            }
            guard isServing else { return }
            if unsafe access(socket.path, F_OK) == 0 || errno == EACCES {
                diagnosis.mayNotSee(.service, "this user may not ask at \(socket.path)")
            } else {
                diagnosis.find(.serviceSilent, "the service runs, and there is no \(socket.path)")
            }
        }
    }

    private func folder(of socket: SocketPlace) -> String {
        String(socket.path[..<(socket.path.lastIndex(of: "/") ?? socket.path.startIndex)]) + "/"
    }

    private func examine(_ socket: SocketPlace, _ diagnosis: inout Diagnosis) {
        if let name = socket.group {
            guard let group = Account.group(named: name) else {
                return diagnosis.find(
                    .socketGroupMissing,
                    "\(socket.path): there is no group \(name)",
                    mend: "groupadd --system \(name)"
                )
            }
            let parent = FileStatus(folder(of: socket))
            let isGivenByFolder = parent.map { $0.group == group && $0.mode & S_ISGID != 0 } ?? false
            if account.user != 0, !account.groups.contains(group), !isGivenByFolder {
                diagnosis.find(
                    .socketGroupForeign,
                    "\(account.name) is no member of \(name), the group of \(socket.path)",
                    mend: "usermod --append --groups \(name) \(account.name)"
                )
            }
        }
        let folder = folder(of: socket)
        if unit?.makes(folder) == true { return }
        guard FileStatus(folder) != nil else {
            return diagnosis.find(.socketFolderMissing, "there is no \(folder)")
        }
        if let refusal = account.refusal(toMakeFilesIn: folder) { diagnosis.find(.socketFolderMissing, refusal) }
    }

    private func examine(_ report: StationReport, _ diagnosis: inout Diagnosis) {
        diagnosis.see(
            .service,
            "greylock \(report.version) answers, terminal \(report.terminal)\(report.drained ? ", drained" : "")"
        )
        if report.version != Release.version {
            diagnosis.find(
                .serviceOtherVersion,
                "the service is \(report.version), and this program \(Release.version)"
            )
        }
        for side in report.sides {
            if side.isInOrder {
                diagnosis.see(.service, side.line)
            } else {
                diagnosis.find(
                    .sideOutOfOrder,
                    "\(side.state): \(side.words) (\(side.code))",
                    side: side.number,
                    mend: "do what it says; greylock explain \(side.code) says who does what"
                )
            }
        }
    }
}
