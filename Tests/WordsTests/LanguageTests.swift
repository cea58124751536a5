import Dispenser
import Quantities
import Records
import Testing
import Words

/// What one language says, the other says too.
@Suite("The languages")
struct LanguageTests {
    private let notices: [Notice]
    private let english = Language.english.vocabulary
    private let chinese = Language.chinese.vocabulary

    init() throws { notices = try Situations.notices().map(\.0) }

    /// The numbers in a text, ascending; a date is three, an amount its fen.
    private func numbers(_ text: String) -> [Int] {
        text.filter { $0 != "." }.split { !("0"..."9").contains($0) }.compactMap { Int($0) }.sorted()
    }

    /// The words of ASCII letters that are no quotation.
    private func foreignWords(_ text: String) -> [String] {
        let known: Set = [
            "MAC", "GMAC", "TAC", "A", "B", "greylock", "position", "records", "accept", "clock", "journal", "clear",
            "REASON",
            "capacity", "keys", "load", "parameters", "import", "after", "loss", "SHA",
        ]
        var rest = text
        for quotation in Situations.quoted { rest = rest.split(separator: quotation).joined(separator: " ") }
        return rest.split { !$0.isASCII || !$0.isLetter }.map(String.init).filter { !known.contains($0) }
    }

    private func both(_ notice: Notice) -> [(english: String, chinese: String)] {
        [
            (english.words(notice), chinese.words(notice)),
            (english.customerWords(notice), chinese.customerWords(notice)),
        ]
    }

    @Test("each notice has words of its own, in every language", arguments: Language.allCases)
    func distinct(language: Language) {
        var said: [String: Notice] = [:]
        for notice in notices {
            let text = language.vocabulary.words(notice)
            #expect(!text.isEmpty && !language.vocabulary.customerWords(notice).isEmpty, "\(notice)")
            #expect(said.updateValue(notice, forKey: text) == nil, "\(text)")
        }
    }

    @Test("what a customer is told alike in one language is told alike in the other")
    func alike() {
        let texts = notices.map { (english: english.customerWords($0), chinese: chinese.customerWords($0)) }
        for (index, one) in texts.enumerated() {
            for other in texts[..<index] {
                #expect((one.english == other.english) == (one.chinese == other.chinese), "\(one), \(other)")
            }
        }
    }

    @Test("amounts, dates and tries are the same in both")
    func figures() throws {
        for notice in notices {
            for text in both(notice) { #expect(numbers(text.english) == numbers(text.chinese), "\(text)") }
        }
        for line in try Situations.receipt() {
            #expect(numbers(english.words(line).line) == numbers(chinese.words(line).line), "\(line)")
        }
        #expect(numbers(english.meter(centilitres: 1_234, fen: 9_687)) == [1_234, 9_687])
        #expect(numbers(chinese.meter(centilitres: 1_234, fen: 9_687)) == [1_234, 9_687])
    }

    @Test("Chinese words are Chinese, but for quotations, options and the names of codes")
    func noEnglish() throws {
        var texts = notices.flatMap { [chinese.words($0), chinese.customerWords($0)] }
        texts += SideState.allCases.map { chinese.words($0) }
        texts += try Situations.receipt().map { chinese.words($0).line }
        texts += [chinese.cardDoesNotAnswer, chinese.meter(centilitres: 1_234, fen: 9_687)]
        for text in texts { #expect(foreignWords(text) == [], "\(text)") }
        for notice in notices where notice.isForCustomer {
            // A name and the digits of checksums.
            if case .identification = notice { continue }
            if case .program = notice { continue }
            let text = chinese.customerWords(notice)
            #expect(!text.contains { $0.isASCII && $0.isLetter }, "\(text)")
        }
        // What the search finds.
        #expect(foreignWords("请 take 卡 (no chip): --accept-clock") == ["take"])
    }

    @Test("states and kinds of records differ in every language", arguments: Language.allCases)
    func states(language: Language) {
        let vocabulary = language.vocabulary
        #expect(Set(SideState.allCases.map { vocabulary.words($0) }).count == SideState.allCases.count)
        #expect(Set(RecordKind.allCases.map { vocabulary.words($0) }).count == RecordKind.allCases.count)
    }
}

@Suite("The receipt's columns")
struct ReceiptColumnsTests {
    @Test("a line that is too wide is broken between the cells of a table, or else between words")
    func wrapped() {
        #expect("as wide\nas that".wrapped(toColumns: 7) == "as wide\nas that")
        #expect("  one two three\n".wrapped(toColumns: 9) == "  one two\n    three\n")
        #expect(" 1  a b: 1  #1 2 %  #2 3 %".wrapped(toColumns: 19) == " 1  a b: 1  #1 2 %\n   #2 3 %")
        #expect("unbreakable word".wrapped(toColumns: 5) == "unbreakable\n  word")
        #expect("已付 已付".wrapped(toColumns: 8) == "已付\n  已付")
    }

    @Test("a Chinese character takes two columns, what is set upon one none")
    func columns() {
        #expect("paid".columns == 4 && "已付".columns == 4 && "１２".columns == 4 && "元/升".columns == 5)
        #expect("e\u{301}".columns == 1 && "……".columns == 2 && "（）".columns == 4 && "，。：".columns == 6)
        #expect("油".padded(toColumns: 4) == "油  " && "油".indented(toColumns: 4) == "  油")
        #expect("油枪".padded(toColumns: 3) == "油枪")
    }

    @Test("labels, figures and units stand in line", arguments: Language.allCases)
    func aligned(language: Language) throws {
        for line in try Situations.receipt() {
            let words = language.vocabulary.words(line)
            switch words {
            case .sentence(let text): #expect(words.line == text)
            case .entry(let label, let text):
                #expect(words.line.hasSuffix("  \(text)") || label.columns == 11)
                #expect(words.line.columns == 12 + text.columns)
            case .figure(let label, _, let unit):
                #expect(label.columns < 12 && words.line.hasSuffix(" \(unit)"))
                #expect(words.line.columns == 12 + 9 + 1 + unit.columns, "\(words.line)")
            }
        }
    }
}
