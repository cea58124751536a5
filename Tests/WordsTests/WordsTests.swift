import Codes
import Dispenser
import FuelPassbook
import Records
import SecurityModule
import Testing
import Words

/// What is said tells two situations apart, and names the figure that somebody has to act on.
@Suite("The side's words")
struct WordsTests {
    @Test("each notice has words of its own, with its figures in them")
    func words() throws {
        var said: [String: Notice] = [:]
        for (notice, figure) in try Situations.notices() {
            let text = Language.english.vocabulary.words(notice)
            #expect(text.contains(figure), "\(text): no \(figure)")
            #expect(said.updateValue(notice, forKey: text) == nil, "\(text)")
        }
    }

    @Test("no notice and no refusal is left out")
    func everyCase() throws {
        let notices = try Situations.notices().map(\.0)
        #expect(Set(notices.map(NoticeKind.init)) == Set(NoticeKind.allCases))
        // Each its own code, but what refuses, which has the refusal's.
        let codes = Set(notices.map(\.code))
        #expect(codes.isSuperset(of: NoticeCode.allCases.map(EventCode.notice)))
        #expect(Set(try Situations.refusals().map(\.0.code)) == Set(RefusalCode.allCases))
        #expect(NoticeCode.allCases.count == NoticeKind.allCases.count - 1)
        #expect(RefusalCode.allCases.count == RefusalKind.allCases.count)
        #expect(Set(try Situations.refusals().map { RefusalKind($0.0) }) == Set(RefusalKind.allCases))
    }

    @Test("a card whose key is not here tells its customer and the log which, in both languages")
    func missingKey() {
        let key = KeyReference(index: KeyIndex(8), version: KeyVersion(9))
        for language in [Language.english, .chinese] {
            let vocabulary = language.vocabulary
            for refusal in [Refusal.module(.keyNotLoaded(key)), .module(.keyNotInUse(key)), .noKey(key.index)] {
                for text in [vocabulary.words(.refused(refusal)), vocabulary.customerWords(.refused(refusal))] {
                    let figures = refusal == .noKey(key.index) ? ["8"] : ["8", "9"]
                    #expect(figures.allSatisfy { text.contains($0) }, "\(text)")
                }
            }
        }
    }

    @Test("one fault of a pulser is no plural")
    func oneFault() {
        #expect(Language.english.vocabulary.words(.pulserFaults(1)) == "1 pulser fault in this sale")
        #expect(Language.english.vocabulary.words(.pulserFaults(2)) == "2 pulser faults in this sale")
    }

    @Test("a fault of the journal names what was done and why it failed")
    func storage() {
        let fault = StorageFault(operation: "commit", reason: "no space is left")
        #expect("\(fault)" == "journal, commit: no space is left")
    }
}
