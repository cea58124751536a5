/// Why a request at a socket is not done.
package enum InterfaceCode: String, CaseIterable, Sendable {
    case notAnObject = "not-an-object"
    case lineTooLong = "line-too-long"
    case memberTwice = "member-twice"
    case memberUnknown = "member-unknown"
    case memberMissing = "member-missing"
    case memberWrong = "member-wrong"
    case commandUnknown = "command-unknown"
    case readOnly = "read-only"
    case tooManyClients = "too-many-clients"
    case tooManyOrders = "too-many-orders"
    case keyUsed = "key-used"
    case takenBack = "taken-back"
    case starting
    case stopping
    case orderNeedsClock = "order-needs-clock"
    case noSuchSide = "no-such-side"
    case noSuchRecord = "no-such-record"
    case recordOpen = "record-open"
    case listWrong = "list-wrong"
    case greysWrong = "greys-wrong"
    case noMasterKey = "no-master-key"
    case storage
}
