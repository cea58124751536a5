/// What a message about the command line leaves out.
package enum CommandLineHint {
    /// A value that begins with `-` is taken for another option, and the message says that there is none.
    ///
    /// - Returns: the message, with how such a value is written.
    package static func added(to message: String, arguments: [String] = CommandLine.arguments) -> String {
        guard let missing = message.firstMatch(of: #/Missing value for '(--?[A-Za-z-]+)/#),
            let option = arguments.firstIndex(of: String(missing.1)), option + 1 < arguments.count,
            arguments[option + 1].hasPrefix("-")
        else { return message }
        let value = arguments[option + 1]
        return "\(message)\n\"\(value)\" was taken for an option; if it is the value: \(missing.1)=\(value)"
    }
}
