package import Glibc
import Threads

/// Who may read and write a file that the programs rely on (decision record 0019).
package enum FileGuard {
    package struct Refusal {
        package let expected: String
        package let found: String
    }

    /// - Parameter secret: nobody but the owner may read it; else nobody but the owner and its group may write it.
    /// - Returns: nil when the file may be used.
    package static func refusal(of status: stat, secret: Bool) -> Refusal? {
        if let kind = kind(notRegular: status.st_mode) {
            return Refusal(expected: "a regular file: write it to a disk first", found: kind)
        }
        let forbidden = secret ? S_IRWXG | S_IRWXO : S_IWOTH
        if status.st_mode & forbidden != 0 {
            return Refusal(
                expected: secret
                    ? "a file that only its owner may read and write: chmod 600"
                    : "a file that not everybody may write: chmod o-w",
                found: "mode \(octal(status.st_mode))"
            )
        }
        let user = geteuid()
        guard secret, user != 0, status.st_uid != user, status.st_uid != 0 else { return nil }
        return Refusal(expected: "a file of this user", found: "a file of user \(status.st_uid)")
    }

    /// A file in a folder that others may write can be replaced by them; in one with the sticky bit, only by its owner.
    package static func refusal(ofFolder file: String) -> Refusal? {
        let folder = FilePath.folder(of: file)
        var status = stat()
        guard unsafe stat(folder, &status) == 0 else { return Refusal(expected: "its folder", found: systemError()) }
        guard status.st_mode & (S_IWGRP | S_IWOTH) != 0, status.st_mode & S_ISVTX == 0 else { return nil }
        return Refusal(
            expected: "a folder that only its owner may write: chmod go-w \(folder)",
            found: "mode \(octal(status.st_mode))"
        )
    }

    private static func kind(notRegular mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        case _: "a device"
        }
    }

    private static func octal(_ mode: mode_t) -> String { "0" + String(mode & 0o7777, radix: 8) }
}
