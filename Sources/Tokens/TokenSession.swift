import CardCryptography
import Files
import KeyCustody
import KeyFiles

/// What the token's thread has of it: the module and, while all is well, a session that is logged in. A failure closes it; the
/// next call opens another.
final class TokenSession {
    private let place: TokenPlace
    private var module: Module?
    private var open: Open?
    private var refusal: Refusal?

    private struct Open {
        let session: ModuleSession
        let model: String
        /// Those that were asked for, each with the right mark.
        var keys: [TokenKey: UInt] = [:]

        mutating func forget(_ key: TokenKey) { keys = keys.filter { $0.key.label != key.label } }
    }

    /// Of a PIN, which is not tried again by itself: a token locks itself after some wrong ones.
    private struct Refusal {
        let pin: FileStamp?
        let fault: TokenFault
    }

    init(_ place: TokenPlace) { self.place = place }

    /// Another use opens it again.
    func end() {
        open = nil
        module?.finalize()
    }

    func forgiveRefusedPIN() { refusal = nil }

    func words() throws(TokenFault) -> String {
        let model = try steadily { (open) throws(ModuleFault) in open.model }
        return "token \(place.label)\(model.isEmpty ? "" : " (\(model))")"
    }

    func encrypted(_ blocks: [UInt8], under key: TokenKey) throws(TokenFault) -> SecretKey {
        try steadily { (open) throws(ModuleFault) in
            let handle = try self.handle(of: key, &open)
            return SecretKey(try open.session.encrypted(blocks, under: handle))
        }
    }

    func faults(of keys: [TokenKey]) throws(TokenFault) -> [String] {
        try steadily { (open) throws(ModuleFault) in
            try open.session.requireStanding()
            var faults: [String] = []
            for key in keys {
                do throws(ModuleFault) { _ = try self.handle(of: key, &open) } catch {
                    guard case .words(let words) = error else { throw error }
                    faults.append(words)
                }
            }
            return faults
        }
    }

    func put(_ raw: SecretKey, as key: TokenKey) throws(TokenFault) {
        try steadily { (open) throws(ModuleFault) in
            open.forget(key)
            try open.session.writing { (session) throws(ModuleFault) -> Void in
                for old in try session.keys(key.label) { try session.destroy(old) }
                try session.create(raw.raw, key.label)
            }
            _ = try self.handle(of: key, &open)
        }
    }

    func destroy(_ key: TokenKey) throws(TokenFault) -> Bool {
        try steadily { (open) throws(ModuleFault) in
            open.forget(key)
            return try open.session.writing { (session) throws(ModuleFault) in
                let keys = try session.keys(key.label)
                for old in keys { try session.destroy(old) }
                return !keys.isEmpty
            }
        }
    }

    /// All of the terminal's, also what nobody has a name of.
    func destroyAll(of terminal: String) throws(TokenFault) -> Bool {
        try steadily { (open) throws(ModuleFault) in
            open.keys = [:]
            return try open.session.writing { (session) throws(ModuleFault) in
                var hadAny = false
                while true {
                    var isDone = true
                    for key in try session.keys("") {
                        guard try TokenKey.isLabel(session.label(of: key), of: terminal) else { continue }
                        try session.destroy(key)
                        (isDone, hadAny) = (false, true)
                    }
                    if isDone { return hadAny }
                }
            }
        }
    }

    private func handle(of key: TokenKey, _ open: inout Open) throws(ModuleFault) -> UInt {
        if let handle = open.keys[key] { return handle }
        let found = try open.session.keys(key.label)
        guard let handle = found.first else { throw .words("token \(place.label) has no key \(key.label)") }
        guard found.count == 1 else { throw .words("token \(place.label) has several keys \(key.label)") }
        if let mark = key.mark {
            let zeros = try open.session.encrypted(TokenMark.input, under: handle)
            guard mark.isOf(zeros) else {
                throw .words("the key \(key.label) in token \(place.label) is another than was loaded")
            }
        }
        open.keys[key] = handle
        return handle
    }

    // MARK: - Open and open again

    /// Once more with a new session, where one that was open before is of no use any more.
    private func steadily<Answer>(
        _ body: (inout Open) throws(ModuleFault) -> Answer
    ) throws(TokenFault) -> Answer {
        if var open {
            do throws(ModuleFault) {
                let answer = try body(&open)
                self.open = open
                return answer
            } catch {
                if case .words(let words) = error { throw TokenFault(words) }
                close()
            }
        }
        do throws(ModuleFault) {
            var open = try opened()
            let answer = try body(&open)
            self.open = open
            return answer
        } catch {
            switch error {
            case .words(let words): throw TokenFault(words)
            case .call(let call, let result):
                close()
                throw TokenFault("token \(place.label): \(call) answers \(ModuleFault.words(of: result))")
            }
        }
    }

    private func close() { open = nil }

    private func opened() throws(ModuleFault) -> Open {
        let module: Module
        if let loaded = self.module { module = loaded } else { module = try Module(place.module) }
        self.module = module
        // A token that was put in, or a server that was started, is seen by a module that begins anew.
        module.finalize()
        try module.initialize()
        let slots = try module.slots(ofToken: place.label)
        guard let slot = slots.first else { throw .words("token \(place.label) is not there (\(place.module))") }
        guard slots.count == 1 else { throw .words("several tokens are called \(place.label)") }
        let session = try ModuleSession(module, slot.id)
        try logIn(session, slot)
        return Open(session: session, model: slot.model)
    }

    private func logIn(_ session: ModuleSession, _ slot: ModuleSlot) throws(ModuleFault) {
        let stamp = place.pin.stamp
        if let refusal, refusal.pin == stamp { throw .words(refusal.fault.reason) }
        refusal = nil
        if slot.pinIsLocked { throw refuse("its PIN is locked: its security officer sets a new one", stamp) }
        if slot.hasOneTryLeft {
            throw refuse(
                "it takes one more try of its PIN, which is left to you: see that the PIN is right, and log in with the token's "
                    + "own tool once",
                stamp
            )
        }
        let pin: LockedBuffer
        do throws(FileFault) { pin = try place.pin.pin() } catch {
            throw .words("token \(place.label): \(error.reason)")
        }
        let result = session.logIn(pin)
        if ModuleFault.isLoggedIn(result) { return }
        guard ModuleFault.isRefusedPIN(result) else { throw .call("C_Login", result) }
        throw refuse(
            "it refuses the PIN (\(ModuleFault.words(of: result))): put the right one into \(place.pin.words), it is not tried "
                + "again before",
            stamp
        )
    }

    private func refuse(_ reason: String, _ stamp: FileStamp?) -> ModuleFault {
        let fault = TokenFault("token \(place.label): \(reason)")
        refusal = Refusal(pin: stamp, fault: fault)
        return .words(fault.reason)
    }
}
