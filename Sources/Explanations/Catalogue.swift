package import Codes

/// The texts of all codes as journald's catalogue (systemd's Journal Message Catalogs): `journalctl --catalog` shows each behind
/// the entries of its message.
package enum Catalogue {
    /// - Parameter messageID: 32 hexadecimal digits by a code.
    package static func text(messageID: (EventCode) -> String) -> String {
        EventCode.allCases.map { code in
            """
            -- \(messageID(code))
            Subject: greylock: \(code.explanation.subject)
            Defined-By: greylock
            Support: man:greylock-report(1)
            Documentation: man:greylock-explain(1)

            \(body(code).joined(separator: "\n"))

            """
        }.joined(separator: "\n")
    }

    private static func body(_ code: EventCode) -> [String] {
        var lines = code.explanation.lines
        if code.hasCause { lines.append("What lies behind it: greylock explain @GREYLOCK_CAUSE@") }
        lines.append("Code: @GREYLOCK_CODE@")
        return lines
    }
}

extension Explanation {
    /// Meaning, money and what there is to do.
    package var lines: [String] {
        [meaning, money.words] + acts.map { "\($0.audience): \($0.words)." }
    }
}

extension EventCode {
    /// Each entry of it names another code, which says more.
    package var hasCause: Bool {
        switch self {
        case .notice(.cardFault), .notice(.parametersRefused), .notice(.meterStopped), .notice(.pumpMissing),
            .refusal(.module):
            true
        case .notice, .refusal, .pump, .card, .keys, .parameters, .service, .interface, .end: false
        }
    }
}
