/// What a message about the command line leaves out.
package enum CommandLineHint {
    /// A value that begins with `-` is taken for another option, and the message says that there is none.
    ///
    /// - Returns: the message, with how such a value is written.
    package static func added(to message: String, arguments: [String] = CommandLine.arguments) -> String {
        // After the message's "Missing value for '", up to its " <VALUE>'".
        let options = message.split(separator: "'").compactMap { $0.split(separator: " ").first.map(String.init) }
        guard message.contains("Missing value for '"), let name = options.first(where: { $0.hasPrefix("-") }),
            let option = arguments.firstIndex(of: name), option + 1 < arguments.count,
            arguments[option + 1].hasPrefix("-")
        else { return message }
        let value = arguments[option + 1]
        return "\(message)\n\"\(value)\" was taken for an option; if it is the value: \(name)=\(value)"
    }
}
