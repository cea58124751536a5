/// Of the parameters under seal.
package enum ParameterCode: String, CaseIterable, Sendable {
    case parametersMissing = "parameters-missing"
    case parametersUnreadable = "parameters-unreadable"
    case parametersBroken = "parameters-broken"
    case parametersOtherTerminal = "parameters-other-terminal"
    case parametersNoSet = "parameters-no-set"
    case parametersOtherBoard = "parameters-other-board"
    case parametersWrongCode = "parameters-wrong-code"
    case parametersOtherKey = "parameters-other-key"
    case parametersGone = "parameters-gone"
    case parametersOlder = "parameters-older"
    case parametersReplaced = "parameters-replaced"
    case parametersLoweredCounter = "parameters-lowered-counter"
    case parametersUnknownHistory = "parameters-unknown-history"
    case parametersOtherWiring = "parameters-other-wiring"
    case parametersInForce = "parameters-in-force"
}
