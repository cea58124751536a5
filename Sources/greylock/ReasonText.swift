import ArgumentParser
import Counter
import Quantities

/// What somebody says on the command line, and a log keeps: without blanks at its ends, 1 to 200 bytes, all of them characters
/// that can be seen: a name of others is nobody's.
struct ReasonText: ExpressibleByArgument {
    let text: String

    init?(argument: String) {
        let front = argument.drop(while: \.isWhitespace)
        let end = front.lastIndex { !$0.isWhitespace }.map(front.index(after:)) ?? front.startIndex
        let text = String(front[..<end])
        guard (1...Signature.bytesMax).contains(text.utf8.count), text.printable == text else { return nil }
        self.text = text
    }
}
