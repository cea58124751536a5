import ArgumentParser
import Counter

/// What somebody says on the command line, and a log keeps: without blanks at its ends, 1 to 200 bytes.
struct ReasonText: ExpressibleByArgument {
    let text: String

    init?(argument: String) {
        let front = argument.drop(while: \.isWhitespace)
        let end = front.lastIndex { !$0.isWhitespace }.map(front.index(after:)) ?? front.startIndex
        guard (1...Signature.bytesMax).contains(front[..<end].utf8.count) else { return nil }
        text = String(front[..<end])
    }
}
