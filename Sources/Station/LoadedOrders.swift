import Configuration
import Dispenser
import Files
import Journal
import Records

extension StandingOrders {
    /// What stands from earlier runs. A configuration that says another price than it did is the newer word: it is noted, and no
    /// order from before counts.
    func load(from journal: SQLiteJournal, _ configuration: Configuration) throws(StorageFault) {
        do throws(FileFault) {
            let path = BlockedCardsFile.path(beside: configuration.journal.path)
            if let list = try BlockedCardsFile.opened(path) { block(cardsOf: list) }
        } catch {
            throw StorageFault(operation: "read the list of blocked cards", reason: error.reason)
        }
        for block in try journal.blocks() { self.block(block) }
        for side in configuration.sides {
            let configured = side.settings(under: nil).unitPrice
            var prices = try journal.priceOrders(of: side.number)
            if let last = prices.last, last.configured != configured {
                let word = PriceOrder(
                    side: side.number,
                    at: SystemClock().now,
                    effectiveUTC: nil,
                    price: configured,
                    configured: configured,
                    user: nil
                )
                try journal.commit(StationEntry(price: word))
                prices.append(word)
            }
            for price in prices { self.price(price) }
        }
    }
}
