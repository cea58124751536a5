import KeyCustody
import Testing

@Suite struct CustodianTests {
    @Test(arguments: [
        ("Wang", "Wang"), ("  王小明\t", "王小明"), ("Ó Briain, D.", "Ó Briain, D."),
        (String(repeating: "w", count: 40), String(repeating: "w", count: 40)),
    ])
    func isName(_ typed: String, _ name: String) { #expect(Custodian.name(typed) == name) }

    @Test(arguments: [
        "", "   ", String(repeating: "w", count: 41), "Wang\n", "Wa\u{1B}[31mng", "Wa\u{7}ng", "Wa\u{9B}2Jng",
        "\u{202E}gnaW",
        "Wang\u{200B}", "Wa\u{2028}ng", "w" + String(repeating: "\u{301}", count: 200),
    ])
    func isNoName(_ typed: String) { #expect(Custodian.name(typed) == nil) }

    @Test(arguments: [
        ("17", "17"), (" A-17/2.b ", "A-17/2.b"), ("", nil), ("17 18", nil), ("№17", nil), ("1\u{1B}", nil),
        (String(repeating: "1", count: 21), nil),
    ])
    func envelope(_ typed: String, _ number: String?) { #expect(Custodian.envelope(typed) == number) }

    @Test func onePersonIsOneHoweverWritten() {
        for other in ["WANG", " wang ", "Wang", "W. A. N. G.", "Wa-ng", "wang,"] {
            #expect(Custodian.areSame("Wang", other))
        }
        #expect(Custodian.areSame("Groß", "GROSS") && Custodian.areSame("e\u{301}", "É"))
        #expect(!Custodian.areSame("Wang", "Wong"))
    }
}
