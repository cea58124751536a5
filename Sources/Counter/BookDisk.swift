package import Files

/// Where the book and its mark are written.
package protocol BookDisk {
    /// The file is the old one or the new one, whole, whenever the power goes; the new one when this returns.
    func replace(_ path: String, with bytes: [UInt8]) throws(FileFault)
}

package struct RealDisk: BookDisk {
    package init() {}

    package func replace(_ path: String, with bytes: [UInt8]) throws(FileFault) {
        try WholeFile.replace(path, with: bytes)
    }
}
