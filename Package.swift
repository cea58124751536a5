// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "greylock",
    products: [
        .executable(name: "greylock", targets: ["greylock"]),
        .executable(name: "greylockd", targets: ["greylockd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPCSCLite", pkgConfig: "libpcsclite", providers: [.apt(["libpcsclite-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CGPIOD", pkgConfig: "libgpiod", providers: [.apt(["libgpiod-dev"])]),
        .target(name: "CICUData"),

        // Values
        .target(name: "ISO7816"),
        .target(name: "CardCryptography", dependencies: ["COpenSSL"]),

        // Vocabulary
        .target(name: "FuelPassbook", dependencies: ["ISO7816", "CardCryptography"]),

        // Core
        .target(name: "CardApplication", dependencies: ["FuelPassbook"]),
        .target(name: "SecurityModule", dependencies: ["FuelPassbook"]),
        .target(name: "Issuer", dependencies: ["FuelPassbook"]),
        .target(name: "Metering"),
        .target(name: "Dispenser", dependencies: ["FuelPassbook", "SecurityModule", "Metering"]),

        // Edges
        .target(name: "Threads", dependencies: ["CLinux"]),
        .target(name: "PCSC", dependencies: ["Dispenser", "CPCSCLite", "Threads"]),
        .target(name: "GPIO", dependencies: ["Metering", "CGPIOD", "CLinux"]),
        .target(
            name: "Journal",
            dependencies: [
                "Dispenser", "Threads",
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]
        ),
        .target(name: "Simulation", dependencies: ["CardApplication", "Dispenser", "Issuer", "Threads"]),

        // Assembly and executables
        .target(
            name: "Terminal",
            dependencies: [
                "CLinux", "Dispenser", "Issuer", "Journal", "PCSC", "GPIO", "Simulation", "Threads",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ]
        ),
        .executableTarget(
            name: "greylockd",
            dependencies: ["CICUData", "Terminal", .product(name: "ArgumentParser", package: "swift-argument-parser")]
        ),
        .executableTarget(
            name: "greylock",
            dependencies: ["CICUData", "Terminal", .product(name: "ArgumentParser", package: "swift-argument-parser")]
        ),

        // Tests
        .target(name: "CInspection", path: "Tests/CInspection"),
        .target(name: "TestCards", dependencies: ["CardApplication"], path: "Tests/TestCards"),
        .testTarget(name: "CardCryptographyTests", dependencies: ["CInspection", "FuelPassbook", "TestCards"]),
        .testTarget(name: "CardApplicationTests", dependencies: ["Issuer", "Simulation", "TestCards"]),
        .testTarget(name: "SecurityModuleTests", dependencies: ["SecurityModule", "TestCards"]),
        .testTarget(name: "DispenserTests", dependencies: ["Dispenser", "Issuer", "Simulation"]),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation"]),
        .testTarget(name: "MeteringTests", dependencies: ["Metering"]),
        .executableTarget(
            name: "JournalEdits",
            dependencies: ["Journal", "Simulation", .product(name: "GRDB", package: "GRDB.swift")],
            path: "Tests/JournalEdits"
        ),
        .testTarget(name: "JournalTests", dependencies: ["Journal", "JournalEdits", "Simulation"]),
        .target(name: "TestReaders", dependencies: ["CInspection", "Journal", "PCSC"], path: "Tests/TestReaders"),
        .testTarget(
            name: "PCSCTests",
            dependencies: ["CInspection", "COpenSSL", "PCSC", "Simulation", "TestReaders", "greylock", "greylockd"]
        ),
        .testTarget(name: "GPIOTests", dependencies: ["GPIO", "TestReaders", "greylock", "greylockd"]),
        .testTarget(name: "CardToolTests", dependencies: ["Terminal", "TestReaders", "greylock"]),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal", "TestReaders", "greylock", "greylockd"]),
        .testTarget(name: "ISO7816Tests", dependencies: ["ISO7816"]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    var settings = target.swiftSettings ?? []
    settings += [
        .strictMemorySafety(),  // SE-0458
        .enableUpcomingFeature("ExistentialAny"),  // SE-0335
        .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
        .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    ]
    if Context.environment["GREYLOCK_STRICT"] != nil {
        settings.append(.treatAllWarnings(as: .error))  // SE-0480
    }
    target.swiftSettings = settings
}
