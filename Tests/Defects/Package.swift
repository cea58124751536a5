// swift-tools-version: 6.2

// What a simulated station and a counter are made of, without the rest: board/defects builds it from a copy of the sources.

import PackageDescription

let package = Package(
    name: "defects",
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .target(name: "Codes"),
        .target(name: "ISO7816"),
        .target(name: "CardCryptography", dependencies: ["COpenSSL", "ISO7816"]),
        .target(name: "Quantities", dependencies: ["ISO7816"]),
        .target(name: "FuelPassbook", dependencies: ["CardCryptography", "Quantities"]),
        .target(name: "Metering", dependencies: ["Quantities"]),
        .target(name: "PulseSignals", dependencies: ["Metering"]),
        .target(name: "Records", dependencies: ["FuelPassbook", "Metering"]),
        .target(name: "CardApplication", dependencies: ["FuelPassbook"]),
        .target(name: "SecurityModule", dependencies: ["Records"]),
        .target(name: "KeyBlocks", dependencies: ["CardCryptography"]),
        .target(name: "KeyCustody", dependencies: ["Codes", "FuelPassbook", "KeyBlocks"]),
        .target(name: "Issuer", dependencies: ["KeyCustody"]),
        .target(name: "GreyLock", dependencies: ["SecurityModule"]),
        .target(name: "Parameters", dependencies: ["FuelPassbook", "Metering"]),
        .target(name: "Dispenser", dependencies: ["Codes", "GreyLock", "Parameters"]),
        .target(name: "Threads", dependencies: ["CLinux", "Codes"]),
        .target(name: "Words", dependencies: ["Dispenser"]),
        .target(name: "VirtualPump", dependencies: ["Metering", "Threads"]),
        .target(
            name: "Simulation",
            dependencies: ["CardApplication", "Dispenser", "Issuer", "PulseSignals", "VirtualPump", "Words"]
        ),
        .target(name: "Files", dependencies: ["Threads"]),
        .target(name: "Counter", dependencies: ["Files", "Issuer", "SecurityModule"]),
        .target(name: "TestCards", dependencies: ["CardApplication"]),
        .target(name: "TestFolders"),
        .target(name: "TestCounters", dependencies: ["Counter", "TestCards", "TestFolders"]),
        .target(name: "TestSeals", dependencies: ["Parameters", "Records"]),
        .executableTarget(
            name: "defects",
            dependencies: ["Parameters", "PulseSignals", "Simulation", "TestCounters", "TestSeals"]
        ),
        .target(name: "SQLite", dependencies: ["CSQLite"]),
        .target(name: "Journal", dependencies: ["Files", "Parameters", "Records", "SQLite", "Threads"]),
        .executableTarget(name: "JournalEdits", dependencies: ["Journal", "Simulation"]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
}
