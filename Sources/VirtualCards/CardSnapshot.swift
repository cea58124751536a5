package import CardApplication
private import Glibc
private import ISO7816

/// A card's image as its file holds it, read without taking the file: the card may be in a reader meanwhile, and its
/// owner may write. A slot that is being written is not valid, and then the one before counts.
package enum CardSnapshot {
    /// - Throws: when the file cannot be read or is no card's.
    package static func read(_ path: String) throws(CardMemoryFailure) -> CardImage {
        let bytes = try contents(of: path)
        let slots = (0..<CardSlot.count).compactMap { index in
            CardSlot(parsing: Array(bytes.dropFirst(index * CardSlot.length).prefix(CardSlot.length)))
        }
        guard let newest = slots.max(by: { $0.sequence < $1.sequence }) else {
            throw CardMemoryFailure(reason: "\(path) holds no card: it is another file, or damaged")
        }
        do throws(ParseError) {
            return try CardImage(parsing: newest.image)
        } catch {
            throw CardMemoryFailure(reason: "\(path) is not a card of this version (\(error)): make a new one")
        }
    }

    private static func contents(of path: String) throws(CardMemoryFailure) -> [UInt8] {
        // Opening anything but a file, such as a pipe, must not wait.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: CardSlot.count * CardSlot.length)
        var count = 0
        while count < bytes.count {
            let taken = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                // SAFETY: the kernel writes no more than the rest of the array, which the closure keeps in place.
                return unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
            }
            if taken < 0, errno == EINTR { continue }
            guard taken >= 0 else { throw failure("read", path) }
            guard taken > 0 else { break }
            count += taken
        }
        return Array(bytes.prefix(count))
    }

    private static func failure(_ operation: String, _ path: String) -> CardMemoryFailure {
        // SAFETY: the text is copied before this thread's next call.
        unsafe CardMemoryFailure(reason: "\(operation) \(path): \(String(cString: strerror(errno)))")
    }
}
