/// Of a path's text alone.
package enum FilePath {
    /// With a slash at its end; "." of a bare name.
    package static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "." }
}
