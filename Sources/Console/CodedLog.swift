package import Codes
package import Logging

extension Logger {
    /// Under which the code of an event stands in its metadata, and what lies behind it.
    package static let codeKey = "code"
    package static let causeKey = "cause"

    /// An event with its code.
    package func log(
        _ level: Level,
        _ code: EventCode,
        cause: EventCode? = nil,
        _ message: @autoclosure () -> Message,
        metadata: Metadata = [:]
    ) {
        var all = metadata
        all[Self.codeKey] = "\(code.rawValue)"
        if let cause { all[Self.causeKey] = "\(cause.rawValue)" }
        log(level: level, message(), metadata: all)
    }

    package func critical(_ code: EventCode, _ message: @autoclosure () -> Message, metadata: Metadata = [:]) {
        log(.critical, code, message(), metadata: metadata)
    }

    package func error(_ code: EventCode, _ message: @autoclosure () -> Message, metadata: Metadata = [:]) {
        log(.error, code, message(), metadata: metadata)
    }

    package func warning(_ code: EventCode, _ message: @autoclosure () -> Message, metadata: Metadata = [:]) {
        log(.warning, code, message(), metadata: metadata)
    }

    package func notice(_ code: EventCode, _ message: @autoclosure () -> Message, metadata: Metadata = [:]) {
        log(.notice, code, message(), metadata: metadata)
    }

    package func info(_ code: EventCode, _ message: @autoclosure () -> Message, metadata: Metadata = [:]) {
        log(.info, code, message(), metadata: metadata)
    }
}
