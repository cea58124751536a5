package import ISO7816

/// Which reader a tool talks to, found before it does, so that what is missing can be said with what to do.
package enum ReaderSearch {
    /// - Parameter name: a reader's name or a part of it; nil for the first reader found.
    /// - Returns: the reader's whole name, and the names of the others.
    /// - Throws: `.reader` with advice.
    package static func find(_ name: String?) throws(CardFault) -> (reader: String, others: [String]) {
        let names: [String]
        do throws(PCSCError) { names = try PCSCContext().readers() } catch { throw CardFault(error) }
        let candidates = ReaderChoice.candidates(name, among: names.map(ReaderName.init)).map(\.whole)
        guard let reader = candidates.first else {
            guard let name, !names.isEmpty else { throw .reader("no card reader: plug it in") }
            throw .reader(
                "no card reader named \"\(name)\": plug it in, or use one of: \(names.joined(separator: ", "))"
            )
        }
        guard name == nil || candidates.count == 1 else {
            throw .reader(
                "\"\(name ?? "")\" is in the name of several card readers, use one of: "
                    + candidates.joined(separator: ", ")
            )
        }
        return (reader, names.filter { $0 != reader })
    }
}
