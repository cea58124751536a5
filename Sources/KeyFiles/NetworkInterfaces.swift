package import Files
private import Glibc
private import Threads

/// Networks of this machine, where a component is better not made.
package enum NetworkInterfaces {
    /// The names of those that are up and have a carrier, but for the machine's own loop. The corresponding C function is
    /// `getifaddrs`.
    package static func up() throws(FileFault) -> [String] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&first) == 0 else { throw FileFault("cannot list networks: \(systemError())") }
        defer { unsafe freeifaddrs(first) }
        var names: Set<String> = []
        // SAFETY: the list is the caller's until it is freed, and its names end with a zero.
        var next = unsafe first
        while let entry = unsafe next?.pointee {
            let flags = unsafe entry.ifa_flags
            let isUp = flags & UInt32(IFF_UP) != 0 && flags & UInt32(IFF_RUNNING) != 0
            if isUp, flags & UInt32(IFF_LOOPBACK) == 0 { names.insert(unsafe String(cString: entry.ifa_name)) }
            unsafe next = entry.ifa_next
        }
        return names.sorted()
    }
}
