package import Configuration
package import FuelPassbook
package import Records
import TotaliserFiles

extension Configuration.TotalsSettings {
    /// Beside the journal; whoever writes totals takes them all.
    package func places(of terminal: TerminalID, _ key: RecordKey) -> [any TotaliserPlace] {
        var places: [any TotaliserPlace] = [TotalsFile(path: file, of: terminal, key)]
        if let memory {
            places.append(TotalsFile(memory: memory.path, offset: memory.offset, of: terminal, key))
        }
        return places
    }
}
