/// Of a path's text alone.
enum FilePath {
    /// With a slash at its end; "." of a bare name.
    static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "." }
}
