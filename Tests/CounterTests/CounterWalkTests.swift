import TestCounters
import Testing

struct CounterWalkTests {
    @Test("wherever the power goes, the money moves once and the book says so", arguments: CounterErrand.allCases)
    func everyCut(_ errand: CounterErrand) throws {
        var walk = CounterWalk([errand])
        let broken = try walk.run()
        #expect(broken == nil)
        #expect(walk.ways > 100, "\(walk.ways)")
    }
}
