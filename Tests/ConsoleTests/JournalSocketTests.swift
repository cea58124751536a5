import Console
import Glibc
import TestFolders
import TestPrograms
import Testing

@Suite("Entries in journald's own protocol")
struct JournalSocketTests {
    @Test("a field with line ends has its length before it, any other an equals sign")
    func fields() throws {
        let folder = try TestFolder()
        let journal = try JournalStandIn(folder.path("socket"))
        var entry = JournaldEntry()
        entry.add("MESSAGE", "two\nlines = one = entry")
        entry.add("greylock_valves-off", "12")
        entry.add("EMPTY", "")
        let socket = try #require(JournalSocket(folder.path("socket")))
        #expect(socket.send(entry))
        let fields = try #require(journal.next())
        #expect(fields.map(\.name) == ["MESSAGE", "GREYLOCK_VALVES_OFF", "EMPTY"])
        #expect(fields.map(\.value) == ["two\nlines = one = entry", "12", ""])
        #expect(entry.datagram.starts(with: Array("MESSAGE\n".utf8) + [23, 0, 0, 0, 0, 0, 0, 0]))
    }

    @Test("nobody waits: a socket that nobody reads refuses at once, and takes entries again when it is read")
    func full() throws {
        let folder = try TestFolder()
        let journal = try JournalStandIn(folder.path("socket"))
        let socket = try #require(JournalSocket(folder.path("socket")))
        var entry = JournaldEntry()
        entry.add("MESSAGE", "x")
        var taken = 0
        while socket.send(entry) { taken += 1 }
        #expect(taken > 0)
        for _ in 0..<taken { #expect(journal.next() != nil) }
        #expect(socket.send(entry))
    }

    @Test("one that is larger than a datagram may be is refused")
    func large() throws {
        let folder = try TestFolder()
        let journal = try JournalStandIn(folder.path("socket"))
        let socket = try #require(JournalSocket(folder.path("socket")))
        var entry = JournaldEntry()
        entry.add("MESSAGE", String(repeating: "x", count: 1 << 24))
        #expect(!socket.send(entry))
        var small = JournaldEntry()
        small.add("MESSAGE", "small")
        #expect(socket.send(small) && journal.next()?.first?.value == "small")
    }

    @Test("without a journald an entry is refused; with a new one in its place it is taken")
    func restarted() throws {
        let folder = try TestFolder()
        let socket = try #require(JournalSocket(folder.path("socket")))
        var entry = JournaldEntry()
        entry.add("MESSAGE", "here")
        #expect(!socket.send(entry))
        for _ in 0..<2 {
            let journal = try JournalStandIn(folder.path("socket"))
            #expect(socket.send(entry) && journal.next()?.first?.value == "here")
        }
        #expect(!socket.send(entry))
    }
}
