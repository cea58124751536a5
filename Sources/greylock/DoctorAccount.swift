import Files
import Glibc
import Threads

/// The user that the service runs as, and what the system would let it do: judged by modes and groups, because whoever runs doctor
/// may do more.
struct Account {
    enum Right {
        case read
        case write

        fileprivate var bits: mode_t { self == .read ? 4 : 6 }
        fileprivate var word: String { self == .read ? "read" : "read and write" }
    }

    let name: String
    let user: uid_t
    /// Its own.
    let group: gid_t
    private(set) var groups: Set<gid_t>

    /// - Parameter supplementary: names of groups that a unit adds.
    /// - Returns: nil where there is no such user.
    init?(named name: String, supplementary: [String] = []) {
        guard let entry = unsafe getpwnam(name) else { return nil }
        let (user, group) = unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
        var count: Int32 = 256
        var groups = [gid_t](repeating: group, count: Int(count))
        guard unsafe getgrouplist(name, group, &groups, &count) >= 0 else { return nil }
        self.name = name
        (self.user, self.group) = (user, group)
        self.groups = Set(groups.prefix(Int(count)))
        for name in supplementary {
            if let group = Self.group(named: name) { self.groups.insert(group) }
        }
    }

    /// Whoever runs this program.
    static var own: Account {
        let user = geteuid()
        if let entry = unsafe getpwuid(user), let name = unsafe entry.pointee.pw_name {
            // SAFETY: a text that ends with a zero, copied before the next look-up.
            if let account = unsafe Account(named: String(cString: name)) { return account }
        }
        return Account(user)
    }

    private init(_ user: uid_t) { (name, self.user, group, groups) = ("\(user)", user, getegid(), [getegid()]) }

    var groupName: String { Self.name(ofGroup: group) }

    static func group(named name: String) -> gid_t? { unsafe getgrnam(name).map { unsafe $0.pointee.gr_gid } }

    static func name(ofUser user: uid_t) -> String {
        guard let entry = unsafe getpwuid(user), let name = unsafe entry.pointee.pw_name else { return "user \(user)" }
        // SAFETY: a text that ends with a zero, copied before the next look-up.
        return unsafe String(cString: name)
    }

    static func name(ofGroup group: gid_t) -> String {
        guard let entry = unsafe getgrgid(group), let name = unsafe entry.pointee.gr_name else {
            return "group \(group)"
        }
        // SAFETY: a text that ends with a zero, copied before the next look-up.
        return unsafe String(cString: name)
    }

    /// - Returns: why not, in words; nil where it may, or nothing is there.
    func refusal(_ right: Right, _ path: String) -> String? {
        guard user != 0 else { return nil }
        var folder = ""
        for part in FilePath.folder(of: path).split(separator: "/") {
            folder += "/\(part)"
            guard let status = FileStatus(folder) else { return nil }
            if !allows(status, 1) { return "\(name) may not enter \(folder) (\(status.words))" }
        }
        guard let status = FileStatus(path), !allows(status, right.bits) else { return nil }
        return "\(name) may not \(right.word) \(path) (\(status.words))"
    }

    /// A folder, in which it has to make files.
    func refusal(toMakeFilesIn folder: String) -> String? {
        guard user != 0 else { return nil }
        if let refusal = refusal(.read, folder) { return refusal }
        guard let status = FileStatus(folder), !allows(status, 7) else { return nil }
        return "\(name) may make no files in \(folder) (\(status.words))"
    }

    /// The command that gives a file or a folder to the user. In a folder of his he can put a link in a file's place: then whoever
    /// follows advice as root would give him any file.
    func advice(toGive path: String) -> String {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else {
            return "chown -h \(name) \(path)"
        }
        return "\(path) is a link: see who made it and where it leads, ls -l \(path), before you give anything away"
    }

    private func allows(_ status: FileStatus, _ bits: mode_t) -> Bool {
        let shift: mode_t = status.user == user ? 6 : groups.contains(status.group) ? 3 : 0
        return status.mode >> shift & bits == bits
    }
}

/// Whether this user reaches a file or a folder, to read it.
enum Reach {
    case absent
    case forbidden
    case open

    init(_ path: String) {
        guard unsafe access(path, R_OK) != 0 else {
            self = .open
            return
        }
        self = errno == EACCES || errno == EPERM ? .forbidden : .absent
    }
}

/// What `stat` says of a file.
struct FileStatus {
    let user: uid_t
    let group: gid_t
    let mode: mode_t
    let size: Int
    let device: dev_t
    /// As it came, for ``FileGuard``.
    let whole: stat

    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        (user, group, mode) = (status.st_uid, status.st_gid, status.st_mode)
        (size, device, whole) = (Int(status.st_size), status.st_dev, status)
    }

    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    var isRegular: Bool { mode & S_IFMT == S_IFREG }

    /// "root:gpio 0660"
    var words: String {
        let digits = String(mode & 0o7777, radix: 8)
        return "\(Account.name(ofUser: user)):\(Account.name(ofGroup: group)) 0\(digits)"
    }
}
