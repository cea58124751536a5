import Console
import Station
import Threads

@main
enum Greylockd {
    /// Why the program ends otherwise than at its end.
    private struct Ending: Error {
        let text: String
        let status: Int32
    }

    /// EX_USAGE of sysexits.h.
    private static let usage: Int32 = 64

    static func main() {
        StandardOutput.runProgram("greylockd") {
            try run(CommandLine.arguments.dropFirst())
        } explain: { error in
            guard let ending = error as? Ending else { preconditionFailure("the program throws no other") }
            return (ending.text, ending.status)
        }
    }

    private static func run(_ arguments: ArraySlice<String>) throws(Ending) {
        let invocation: Invocation
        do throws(InvocationFault) { invocation = try Invocation(Array(arguments)) } catch {
            throw Ending(
                text: """
                    Error: \(error.reason)
                    Usage: \(Invocation.usage)
                      See 'greylockd --help' for more information.
                    """,
                status: usage
            )
        }
        let program = ServiceProgram("greylockd")
        do throws(ServiceFailure) {
            switch invocation {
            case .serve(let configuration): try program.serve(configuration: configuration)
            case .closeValves(let configuration): try program.closeValves(configuration: configuration)
            case .check(let configuration): writeLine(try program.check(configuration: configuration))
            case .help: writeLine(Invocation.helpText)
            case .version: writeLine("greylockd \(Release.version)")
            }
        } catch {
            throw Ending(text: "", status: error.exitStatus)
        }
    }
}
