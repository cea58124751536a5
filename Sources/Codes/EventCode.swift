/// The stable name of an event: a notice, a refusal, a fault, or how a program ends.
///
/// Programs read it, people look it up with `greylock explain`, and journald finds its text by it. A code is never given to
/// another event, and none is taken away (<doc:0066-codes>).
package enum EventCode: Hashable, Sendable {
    case notice(NoticeCode)
    case refusal(RefusalCode)
    case pump(PumpCode)
    case card(CardCode)
    case keys(KeyCode)
    case parameters(ParameterCode)
    case service(ServiceCode)
    case interface(InterfaceCode)
    case end(EndCode)
}

extension EventCode: CaseIterable {
    package static let allCases: [EventCode] =
        NoticeCode.allCases.map(EventCode.notice) + RefusalCode.allCases.map(EventCode.refusal)
        + PumpCode.allCases.map(EventCode.pump) + CardCode.allCases.map(EventCode.card)
        + KeyCode.allCases.map(EventCode.keys) + ParameterCode.allCases.map(EventCode.parameters)
        + ServiceCode.allCases.map(EventCode.service) + InterfaceCode.allCases.map(EventCode.interface)
        + EndCode.allCases.map(EventCode.end)
}

extension EventCode: RawRepresentable {
    package var rawValue: String {
        switch self {
        case .notice(let code): code.rawValue
        case .refusal(let code): code.rawValue
        case .pump(let code): code.rawValue
        case .card(let code): code.rawValue
        case .keys(let code): code.rawValue
        case .parameters(let code): code.rawValue
        case .service(let code): code.rawValue
        case .interface(let code): code.rawValue
        case .end(let code): code.rawValue
        }
    }

    package init?(rawValue: String) {
        guard let code = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = code
    }

    /// What it is of, in a word.
    package var kind: String {
        switch self {
        case .notice: "notice"
        case .refusal: "refusal"
        case .pump: "pump"
        case .card: "card"
        case .keys: "keys"
        case .parameters: "parameters"
        case .service: "service"
        case .interface: "interface"
        case .end: "exit status"
        }
    }
}

extension EndCode {
    /// nil for a status that no program of this project ends with.
    package init?(status: Int32) { self.init(rawValue: "exit-\(status)") }
}
