private import COpenSSL

/// Where every computation with keys runs: on a part of the stack that is overwritten when it returns or throws.
///
/// libcrypto's DES leaves round keys on the stack, and the halves of a derived key pass through local values. None of
/// them is within reach of an owner that could wipe it; the stack below their caller is.
package enum SecretStack {
    /// Bytes of the stack that are overwritten.
    package static let bytesMax = Int(greylock_secret_stack_bytes)

    /// - Parameter body: its result must not be secret, nor hold a secret outside locked memory. What it calls uses at
    ///   most ``bytesMax`` of the stack while it handles keys.
    @inline(__always)
    static func run<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { greylock_wipe_stack() }
        return try below(body)
    }

    /// A frame of its own: what the compiler moves out of `body` may end here, and no higher.
    @inline(never)
    private static func below<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body()
    }
}
