/// Which greylock this is.
package enum Release {
    package static let version = "0.9.0"
}
