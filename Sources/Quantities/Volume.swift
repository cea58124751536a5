// Exact integers from the pulse to the price: counts, microlitres, centilitres, fen (spec/dispenser.md, section 2).

/// A volume in whole microlitres.
package struct Volume: Hashable, Comparable, Sendable {
    package let microlitres: Int

    package init(microlitres: Int) { self.microlitres = microlitres }

    package init(centilitres: Int) { self.init(microlitres: centilitres * 10_000) }

    package static let zero = Volume(microlitres: 0)

    /// What the display shows: centilitres, rounded half up.
    package var shownCentilitres: Int { (microlitres + 5_000) / 10_000 }

    package static func < (left: Volume, right: Volume) -> Bool { left.microlitres < right.microlitres }
    package static func + (left: Volume, right: Volume) -> Volume {
        Volume(microlitres: left.microlitres + right.microlitres)
    }
    package static func - (left: Volume, right: Volume) -> Volume {
        Volume(microlitres: left.microlitres - right.microlitres)
    }
}

/// The price of a litre, in fen.
package struct UnitPrice: Hashable, Sendable {
    package static let fenMax = 99_999

    package let fenPerLitre: Int

    package init(fenPerLitre: Int) {
        precondition((1...Self.fenMax).contains(fenPerLitre))
        self.fenPerLitre = fenPerLitre
    }

    /// The shown volume's price in fen, rounded half up, so that anyone can check it on the display.
    package func fen(forCentilitres centilitres: Int) -> Int {
        (centilitres * fenPerLitre + 50) / 100
    }

    /// The largest number of centilitres that costs no more than `fen`.
    package func centilitres(forFen fen: Int) -> Int {
        var centilitres = fen * 100 / fenPerLitre
        while self.fen(forCentilitres: centilitres + 1) <= fen { centilitres += 1 }
        while centilitres > 0 && self.fen(forCentilitres: centilitres) > fen { centilitres -= 1 }
        return centilitres
    }
}
