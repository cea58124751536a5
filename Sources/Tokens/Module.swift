import CPKCS11
import CardCryptography
import Files
import Glibc
import Threads

// PKCS#11, by the C functions that the methods name. One thread calls.

/// What a call of a module answers, or what is said in words already.
enum ModuleFault: Error {
    /// The function, and the CK_RV.
    case call(String, UInt)
    case words(String)

    static func isLoggedIn(_ result: UInt) -> Bool { result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN }

    static func isRefusedPIN(_ result: UInt) -> Bool {
        [CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_EXPIRED, CKR_PIN_LOCKED].contains(result)
    }

    static func words(of result: UInt) -> String {
        let name =
            switch result {
            case CKR_PIN_INCORRECT: "PIN incorrect"
            case CKR_PIN_INVALID, CKR_PIN_LEN_RANGE: "not a PIN that it could have"
            case CKR_PIN_EXPIRED: "PIN expired"
            case CKR_PIN_LOCKED: "PIN locked"
            case CKR_DEVICE_ERROR: "device error"
            case CKR_DEVICE_REMOVED: "device removed"
            case CKR_TOKEN_NOT_PRESENT: "token not present"
            case CKR_TOKEN_NOT_RECOGNIZED: "token not recognised"
            case CKR_DEVICE_MEMORY: "no room on the token"
            case CKR_MECHANISM_INVALID: "it has no triple DES in ECB"
            case CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT:
                "it takes no key of this kind"
            case CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_TYPE_INCONSISTENT: "the key may not encrypt"
            case CKR_TOKEN_WRITE_PROTECTED: "it is write-protected"
            case CKR_OPERATION_ACTIVE: "another operation is under way"
            case CKR_SESSION_COUNT: "it opens no more sessions"
            case CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED: "it failed"
            case _: "an error"
            }
        return "\(name) (0x\(String(result, radix: 16, uppercase: true)))"
    }
}

struct ModuleSlot {
    let id: UInt
    /// "SoftHSM v2"
    let model: String
    let pinIsLocked: Bool
    let hasOneTryLeft: Bool
}

/// A PKCS#11 module in this process, until it ends.
@safe
final class Module {
    fileprivate let functions: UnsafeMutablePointer<CK_FUNCTION_LIST>
    private var isInitialized = false
    private static let slotsMax = 64

    /// The corresponding C functions are `dlopen` and `C_GetFunctionList`.
    init(_ path: String) throws(ModuleFault) {
        try Self.requireGuarded(path)
        guard let functions = unsafe greylock_pkcs11_module(path) else {
            let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "it has no C_GetFunctionList"
            throw .words("\(path) cannot be used as a PKCS#11 module: \(reason)")
        }
        unsafe self.functions = functions
    }

    /// Its code is part of this process.
    private static func requireGuarded(_ path: String) throws(ModuleFault) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw .words("\(path) cannot be used as a PKCS#11 module: \(systemError())")
        }
        if let refusal = FileGuard.refusal(of: status, secret: false) ?? FileGuard.refusal(ofFolder: path) {
            throw .words("\(path): \(refusal.expected) (found \(refusal.found))")
        }
    }

    func initialize() throws(ModuleFault) {
        // Without arguments: one thread calls.
        try require("C_Initialize", unsafe functions.pointee.C_Initialize(nil))
        isInitialized = true
    }

    func finalize() {
        if isInitialized { _ = unsafe functions.pointee.C_Finalize(nil) }
        isInitialized = false
    }

    /// The corresponding C functions are `C_GetSlotList` and `C_GetTokenInfo`.
    func slots(ofToken label: String) throws(ModuleFault) -> [ModuleSlot] {
        var count = UInt(Self.slotsMax)
        var ids = [UInt](repeating: 0, count: Self.slotsMax)
        try require("C_GetSlotList", unsafe functions.pointee.C_GetSlotList(1, &ids, &count))
        var slots: [ModuleSlot] = []
        for id in ids.prefix(Int(count)) {
            var info = CK_TOKEN_INFO()
            let result = unsafe functions.pointee.C_GetTokenInfo(id, &info)
            // It was pulled meanwhile, or is not made for use yet.
            if result == CKR_TOKEN_NOT_PRESENT || result == CKR_TOKEN_NOT_RECOGNIZED { continue }
            try require("C_GetTokenInfo", result)
            guard unsafe withUnsafeBytes(of: &info.label, { unsafe Self.text($0) }) == label else { continue }
            slots.append(
                ModuleSlot(
                    id: id,
                    model: unsafe withUnsafeBytes(of: &info.model) { unsafe Self.text($0) },
                    pinIsLocked: info.flags & UInt(CKF_USER_PIN_LOCKED) != 0,
                    hasOneTryLeft: info.flags & UInt(CKF_USER_PIN_FINAL_TRY) != 0
                )
            )
        }
        return slots
    }

    /// Padded with blanks; what is no printable text is no name of anything.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        let text = unsafe String(decoding: bytes, as: UTF8.self)
        let kept = text.unicodeScalars.filter { $0.properties.generalCategory != .control }
        return String(String.UnicodeScalarView(kept).reversed().drop { $0 == " " }.reversed().map(Character.init))
    }

    fileprivate func require(_ call: String, _ result: UInt) throws(ModuleFault) {
        guard result == CKR_OK else { throw .call(call, result) }
    }
}

/// An open session, closed when it ends. The corresponding C functions are `C_OpenSession` and `C_CloseSession`.
final class ModuleSession {
    private static let keysMax = 8
    private static let tokenKeysMax = 1 << 16

    private let module: Module
    private let slot: UInt
    private let id: UInt

    convenience init(_ module: Module, _ slot: UInt) throws(ModuleFault) {
        try self.init(module, slot, UInt(CKF_SERIAL_SESSION))
    }

    private init(_ module: Module, _ slot: UInt, _ flags: UInt) throws(ModuleFault) {
        self.module = module
        self.slot = slot
        var id: UInt = 0
        try module.require("C_OpenSession", unsafe module.functions.pointee.C_OpenSession(slot, flags, nil, nil, &id))
        self.id = id
    }

    deinit { _ = unsafe module.functions.pointee.C_CloseSession(id) }

    /// With another session, which may write, of the same login.
    func writing<Answer>(_ body: (ModuleSession) throws(ModuleFault) -> Answer) throws(ModuleFault) -> Answer {
        try body(ModuleSession(module, slot, UInt(CKF_SERIAL_SESSION | CKF_RW_SESSION)))
    }

    /// - Returns: the CK_RV. The corresponding C function is `C_Login`.
    func logIn(_ pin: borrowing LockedBuffer) -> UInt {
        pin.withSpan { span in
            // SAFETY: the module reads the PIN inside this call, and no more of it than is there.
            unsafe span.withUnsafeBufferPointer { bytes in
                unsafe module.functions.pointee.C_Login(
                    id,
                    UInt(CKU_USER),
                    UnsafeMutablePointer(mutating: bytes.baseAddress),
                    UInt(bytes.count)
                )
            }
        }
    }

    /// The corresponding C function is `C_GetSessionInfo`.
    func requireStanding() throws(ModuleFault) {
        var info = CK_SESSION_INFO()
        try module.require("C_GetSessionInfo", unsafe module.functions.pointee.C_GetSessionInfo(id, &info))
    }

    /// The corresponding C functions are `C_FindObjectsInit`, `C_FindObjects` and `C_FindObjectsFinal`.
    ///
    /// - Parameter label: "" for all, as many as are asked for at once.
    func keys(_ label: String) throws(ModuleFault) -> [UInt] {
        let room = label.isEmpty ? Self.tokenKeysMax : Self.keysMax
        var found = [UInt](repeating: 0, count: room)
        var count: UInt = 0
        let label = Array(label.utf8)
        let result = unsafe greylock_pkcs11_find(
            module.functions,
            id,
            label,
            label.count,
            &found,
            UInt(room),
            &count
        )
        try module.require("C_FindObjects", result)
        return Array(found.prefix(Int(count)))
    }

    /// The corresponding C function is `C_GetAttributeValue`. A name that is too long is none of ours.
    func label(of key: UInt) throws(ModuleFault) -> String {
        var label = [UInt8](repeating: 0, count: 128)
        var length = UInt(label.count)
        let result = unsafe greylock_pkcs11_label(module.functions, id, key, &label, &length)
        guard result != CKR_BUFFER_TOO_SMALL else { return "" }
        try module.require("C_GetAttributeValue", result)
        return String(decoding: label.prefix(Int(length)), as: UTF8.self)
    }

    /// The corresponding C functions are `C_EncryptInit` and `C_Encrypt`.
    func encrypted(_ blocks: [UInt8], under key: UInt) throws(ModuleFault) -> LockedBuffer {
        var output = LockedBuffer(count: blocks.count)
        let result = output.withMutableSpan { span in
            // SAFETY: the module writes as many bytes as it reads, which is what the buffer has.
            unsafe span.withUnsafeMutableBufferPointer { bytes in
                unsafe greylock_pkcs11_encrypt(module.functions, id, key, blocks, blocks.count, bytes.baseAddress)
            }
        }
        try module.require("C_Encrypt", result)
        return output
    }

    /// The corresponding C function is `C_CreateObject`.
    func create(_ raw: borrowing LockedBuffer, _ label: String) throws(ModuleFault) {
        precondition(raw.count == DoubleLengthKey.length)
        // Some tokens insist on it.
        var raw = raw.part(0..<raw.count)
        raw.setOddParity()
        let label = Array(label.utf8)
        let result = raw.withSpan { span in
            // SAFETY: the module reads the 16 bytes inside this call.
            unsafe span.withUnsafeBufferPointer { bytes in
                unsafe greylock_pkcs11_create(module.functions, id, label, label.count, bytes.baseAddress)
            }
        }
        try module.require("C_CreateObject", result)
    }

    /// The corresponding C function is `C_DestroyObject`.
    func destroy(_ key: UInt) throws(ModuleFault) {
        try module.require("C_DestroyObject", unsafe module.functions.pointee.C_DestroyObject(id, key))
    }
}
