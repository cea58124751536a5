private import Glibc

// SAFETY: read once, before any other thread runs.
nonisolated(unsafe) private let seededDefect = unsafe getenv("GREYLOCK_DEFECT").map { unsafe String(cString: $0) }

/// Whether this process runs with the defect of that name.
package func isSeeded(_ name: StaticString) -> Bool { unsafe seededDefect == "\(name)" }
