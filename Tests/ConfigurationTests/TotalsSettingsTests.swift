import Configuration
import Testing

/// Where totals stand outside the journal: no other file of the service, and no byte of the keys' half.
struct TotalsSettingsTests {
    private let sample = SampleConfiguration.demonstration

    private func with(_ lines: String...) -> SampleConfiguration {
        var sample = sample
        sample.lines += lines
        return sample
    }

    @Test func withoutASettingTheFileLiesBesideTheMark() throws {
        #expect(try sample.load().totals.file == "/tmp/journal.sqlite-totals")
        #expect(try sample.load().totals.memory == nil)
        var marked = sample
        marked.set("journal", "mark", "'/mnt/other/mark'")
        #expect(try marked.load().totals.file == "/mnt/other/journal.sqlite-totals")
        let totals = try with("[totals]", "file = '/mnt/totals'", "nvmem = '/sys/x'", "nvmem_offset = 96").load().totals
        #expect(totals.file == "/mnt/totals")
        #expect(totals.memory?.path == "/sys/x" && totals.memory?.offset == 96)
    }

    @Test(
        "a value that it must not have",
        arguments: [
            ("file = '/tmp/journal.sqlite'", "totals.file: another file than the journal (found"),
            ("file = '/tmp/journal.sqlite-wal'", "totals.file: another file than the journal's -wal file (found"),
            ("file = '/tmp/journal.sqlite-mark'", "totals.file: another file than the journal's mark (found"),
            ("file = 'totals'", "totals.file: a path that begins with / (found"),
            ("nvmem_offset = 1", "totals.nvmem_offset: nothing unless nvmem is set (found 1)"),
            ("nvmen = '/x'", "totals.nvmen: a known key"),
        ]
    )
    func refused(line: String, words: String) {
        let verdict = with("[totals]", line).verdict
        #expect(verdict.contains(words), "\(verdict)")
    }

    @Test(arguments: [(0, true), (79, true), (80, false)])
    func theKeysBytesAreTheirOwn(offset: Int, isRefused: Bool) {
        var sample = SampleConfiguration.service
        sample.set("keys", "nvmem", "'/sys/chip'")
        sample.lines += ["[totals]", "nvmem = '/sys/chip'", "nvmem_offset = \(offset)"]
        let words = "totals.nvmem_offset: bytes apart from the 80 of keys.nvmem (found \(offset))"
        #expect(sample.verdict.contains(words) == isRefused, "\(sample.verdict)")
    }
}
