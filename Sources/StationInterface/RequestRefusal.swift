package import Codes

/// Why a request is not done. The code is for programs and never changes; the words are for people.
package struct RequestRefusal: Error, Equatable, Sendable {
    package typealias Code = InterfaceCode

    package let code: Code
    package let words: String

    package init(_ code: Code, _ words: String) {
        self.code = code
        self.words = words
    }

    var json: JSON { .object([JSON.Member("code", .text(code.rawValue)), JSON.Member("words", .text(words))]) }
}
