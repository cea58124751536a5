import Files
import KeyFiles
import TotaliserFiles

extension Configuration {
    /// Where the totals of the nozzles stand outside the journal: `[totals]`.
    package struct TotalsSettings: Equatable, Sendable {
        /// Bytes of a board's memory.
        package struct Memory: Equatable, Sendable {
            package let path: String
            package let offset: Int
        }

        package let file: String
        /// nil on a board that has none.
        package let memory: Memory?

        /// - Parameter keyMemory: whose chip has room behind it for the totals too.
        init(reading root: ConfigurationTable, _ journal: JournalFile, _ keyMemory: BoardMemory?) {
            let table = root.table("totals")
            file = table.optional("file", .path) ?? Self.file(beside: journal)
            if let path = table.optional("nvmem", .path) {
                let offset = table.value("nvmem_offset", .integer(0...TotalsFile.offsetMax), default: 0)
                memory = Memory(path: path, offset: offset)
                if let keyMemory, overlaps(keyMemory) {
                    table.noteConflict("nvmem_offset", "bytes apart from the \(BoardMemory.bytesCount) of keys.nvmem")
                }
            } else {
                table.refuse("nvmem_offset", unless: "nvmem is set")
                memory = keyMemory.map { Memory(path: $0.path, offset: $0.offset + BoardMemory.bytesCount) }
            }
        }

        private func overlaps(_ keys: BoardMemory) -> Bool {
            guard let memory, FilePlace(memory.path).isSame(as: FilePlace(keys.path)) else { return false }
            let ours = memory.offset..<memory.offset + TotalsFile.memoryBytesCount
            return ours.overlaps(keys.offset..<keys.offset + BoardMemory.bytesCount)
        }

        /// In the folder of the mark, which best is another medium.
        private static func file(beside journal: JournalFile) -> String {
            let name = journal.path.split(separator: "/").last.map(String.init) ?? "journal"
            guard let mark = journal.mark else { return journal.path + "-totals" }
            return FilePath.folder(of: mark) + name + "-totals"
        }
    }
}
