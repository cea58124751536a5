/// How full the journal may become (spec/dispenser.md, section 3).
package enum JournalRoom {
    package static let warnedBelow = 48
    /// What is left is for what must be written whether cards are served or not: local unlocks, refunds and fuel outside
    /// any sale. A full journal takes them too.
    package static let refusedBelow = 16
}
