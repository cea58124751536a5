private import Files

/// Where all that opens a terminal's keys lies, and how it is destroyed: what opens the store before the store, and of that first
/// what lies in the board. Wherever the power goes in between, what is left opens nothing.
package struct KeyErasure: Sendable {
    package enum Place: CaseIterable, Sendable {
        case boardMemory
        case storageKey
        case tokenObjects
        case store
    }

    package enum Outcome: Equatable, Sendable {
        case destroyed
        /// There was none.
        case absent
        /// Why it is not destroyed, or not all of it.
        case left(String)
    }

    package struct Result: Equatable, Sendable {
        package let place: Place
        package let outcome: Outcome

        package var isLeft: Bool {
            switch outcome {
            case .destroyed, .absent: false
            case .left: true
            }
        }
    }

    private let store: String
    private let storageKey: StorageKeyPlace
    private let credentialFile: String?
    private let memory: BoardMemory?
    private let destroyTokenKeys: (@Sendable () -> Outcome)?

    /// - Parameters:
    ///   - credentialFile: what a credential is sealed in; nil where that is not known.
    ///   - destroyTokenKeys: nil without a token.
    package init(
        store: String,
        storageKey: StorageKeyPlace,
        credentialFile: String?,
        memory: BoardMemory?,
        destroyTokenKeys: (@Sendable () -> Outcome)? = nil
    ) {
        self.store = store
        self.storageKey = storageKey
        self.credentialFile = credentialFile
        self.memory = memory
        self.destroyTokenKeys = destroyTokenKeys
    }

    /// Goes on past what cannot be destroyed. Needs neither the storage key nor a store that opens.
    ///
    /// - Parameter begins: called before each place.
    package func run(begins: (Place) -> Void = { _ in }) -> [Result] {
        Place.allCases.compactMap { place in
            begins(place)
            do throws(FileFault) {
                return try destroy(place).map { Result(place: place, outcome: $0 ? .destroyed : .absent) }
            } catch {
                return Result(place: place, outcome: .left(error.reason))
            }
        }
    }

    /// - Returns: nil for what this terminal does not have; false where there was nothing.
    private func destroy(_ place: Place) throws(FileFault) -> Bool? {
        switch place {
        case .boardMemory: return try memory?.destroy()
        case .storageKey:
            switch storageKey {
            case .file(let path): return try WipedFile.destroy(path)
            case .credential(let name):
                guard let credentialFile else {
                    throw FileFault(
                        "the credential \(name): [keys] credential_file does not say what it is sealed in: remove that by hand"
                    )
                }
                return try WipedFile.destroy(credentialFile)
            }
        case .tokenObjects:
            switch destroyTokenKeys?() {
            case nil: return nil
            case .destroyed?: return true
            case .absent?: return false
            case .left(let reason)?: throw FileFault(reason)
            }
        case .store:
            var isDestroyed = false
            var fault: FileFault?
            for path in [store, WholeFile.draft(of: store)] {
                do throws(FileFault) {
                    if try WipedFile.destroy(path) { isDestroyed = true }
                } catch {
                    fault = fault ?? error
                }
            }
            if let fault { throw fault }
            return isDestroyed
        }
    }
}
