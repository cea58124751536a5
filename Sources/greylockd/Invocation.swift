/// What the service was asked for on its command line.
///
/// Two options are read here, because the library that reads those of the tools is as large as the service
/// (`Documentation.docc/0038-what-a-board-carries.md`).
enum Invocation: Equatable {
    case serve(configuration: String)
    case closeValves(configuration: String)
    case check(configuration: String)
    case help
    case version
}

/// A command line that says nothing of that, in words.
struct InvocationFault: Error, Equatable {
    let reason: String
}

extension Invocation {
    /// - Parameter arguments: without the program's name.
    init(_ arguments: [String]) throws(InvocationFault) {
        var configuration: String?
        var act: String?
        var rest = arguments[...]
        func set(_ path: String) throws(InvocationFault) {
            guard configuration == nil else { throw InvocationFault(reason: "'--config' is there twice") }
            configuration = path
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "-h", "--help":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--close-valves", "--check":
                guard act == nil || act == argument else {
                    throw InvocationFault(reason: "'--close-valves' and '--check' exclude each other")
                }
                act = argument
            case "--config":
                guard let path = rest.popFirst() else {
                    throw InvocationFault(reason: "Missing value for '--config <FILE>'")
                }
                guard !path.hasPrefix("-") else {
                    throw InvocationFault(
                        reason: """
                            Missing value for '--config <FILE>'
                            "\(path)" was taken for an option; if it is the value: --config=\(path)
                            """
                    )
                }
                try set(path)
            case _ where argument.hasPrefix("--config="): try set(String(argument.dropFirst("--config=".count)))
            case _ where argument.hasPrefix("-"): throw InvocationFault(reason: "Unknown option '\(argument)'")
            case _: throw InvocationFault(reason: "Unexpected argument '\(argument)'")
            }
        }
        guard let configuration else { throw InvocationFault(reason: "Missing expected argument '--config <FILE>'") }
        switch act {
        case nil: self = .serve(configuration: configuration)
        case "--check": self = .check(configuration: configuration)
        case _: self = .closeValves(configuration: configuration)
        }
    }

    static let usage = "greylockd --config <FILE> [--close-valves | --check]"

    static let helpText = """
        OVERVIEW: The dispenser's service: one to eight fuelling sides, each with its
        card reader and pump.

        Exit status: 0 when it was told to stop (SIGTERM, SIGINT), 64 for a wrong
        command line, 69 when something that it needs is missing, 71 when the system
        refuses what it needs (core dumps must be forbidden), 74 when the journal or
        the pump failed, or the configuration cannot be read, 75 when it was told to
        stop and something did not answer, 77 when the housing was opened and the keys are destroyed,
        78 for a wrong configuration. Only 64, 77 and 78 need somebody: every other cause can pass, and a new start is worth while.

        USAGE: \(usage)

        OPTIONS:
          --config <FILE>         The configuration, see greylock.toml of the examples.
          --close-valves          Only switch the pump's outputs off and end: the
                                  unit's stop action after the service was killed. What
                                  the service noted in its runtime folder counts first,
                                  and a wrong configuration does no harm.
          --check                 Only look whether this program could serve: the
                                  configuration is in order, the journal's folder
                                  and the sockets' groups are there, and journal,
                                  parameters and keys are none of a newer version.
                                  Nothing is changed, and a running service goes on.
          --version               Show the version.
          -h, --help              Show help information.

        """
}
