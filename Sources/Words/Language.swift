/// What a text is written in.
package enum Language: String, CaseIterable, Sendable {
    case english
    case chinese

    /// Of logs, tools, exit messages and what is kept on disk.
    package static let technical = Language.english

    package var vocabulary: any Vocabulary {
        switch self {
        case .english: English()
        case .chinese: Chinese()
        }
    }
}
