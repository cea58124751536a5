import Glibc

/// The text of the calling thread's last failed system call. The corresponding C function is `strerror`.
package func systemError() -> String {
    unsafe String(cString: strerror(errno))
}
