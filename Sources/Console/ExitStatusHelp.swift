/// What every tool's help says of its exit statuses (sysexits.h).
package enum ExitStatusHelp {
    package static let common =
        "Of every tool: 64 for a wrong command line, 74 when the output cannot be written, 71 when the system refuses what it needs."
}
