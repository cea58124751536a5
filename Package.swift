// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "greylock",
    products: [
        .executable(name: "greylock", targets: ["greylock"]),
        .executable(name: "greylock-bench", targets: ["greylock-bench"]),
        .executable(name: "greylockd", targets: ["greylockd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPCSCLite", pkgConfig: "libpcsclite", providers: [.apt(["libpcsclite-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CPKCS11", providers: [.apt(["libp11-kit-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CGPIOD", pkgConfig: "libgpiod", providers: [.apt(["libgpiod-dev"])]),
        .target(name: "CICUData"),
        .target(name: "CTOML"),

        // Values
        .target(name: "Codes"),
        .target(name: "ISO7816"),
        .target(name: "CardCryptography", dependencies: ["COpenSSL"]),
        .target(name: "KeyBlocks", dependencies: ["CardCryptography", "ISO7816"]),
        .target(name: "SQLite", dependencies: ["CSQLite"]),
        .target(name: "Threads", dependencies: ["CLinux", "Codes"]),
        .target(name: "Files", dependencies: ["Threads"]),
        .target(name: "Quantities", dependencies: ["ISO7816"]),

        // Vocabulary
        .target(name: "FuelPassbook", dependencies: ["CardCryptography", "ISO7816", "Quantities"]),
        .target(name: "Metering", dependencies: ["Quantities"]),
        .target(name: "PulseSignals", dependencies: ["Metering"]),
        .target(
            name: "Records",
            dependencies: ["CardCryptography", "FuelPassbook", "ISO7816", "Metering", "Quantities"]
        ),
        .target(
            name: "Parameters",
            dependencies: ["CardCryptography", "FuelPassbook", "ISO7816", "Metering", "Quantities"]
        ),

        // Core
        .target(name: "CardApplication", dependencies: ["CardCryptography", "FuelPassbook", "ISO7816", "Quantities"]),
        .target(
            name: "SecurityModule",
            dependencies: ["CardCryptography", "FuelPassbook", "ISO7816", "Quantities", "Records"]
        ),
        .target(
            name: "Issuer",
            dependencies: ["CardCryptography", "FuelPassbook", "ISO7816", "KeyCustody", "Quantities"]
        ),
        .target(
            name: "KeyCustody",
            dependencies: ["CardCryptography", "Codes", "FuelPassbook", "ISO7816", "KeyBlocks", "Quantities"]
        ),
        .target(
            name: "GreyLock",
            dependencies: ["CardCryptography", "FuelPassbook", "ISO7816", "Records", "SecurityModule"]
        ),
        .target(
            name: "Dispenser",
            dependencies: [
                "CardCryptography", "Codes", "FuelPassbook", "GreyLock", "ISO7816", "Metering", "Parameters",
                "Quantities",
                "Records", "SecurityModule",
            ]
        ),

        .target(name: "Proving", dependencies: ["CardCryptography", "ISO7816", "Metering", "Quantities"]),

        .target(name: "Explanations", dependencies: ["Codes"]),
        .target(
            name: "Words",
            dependencies: [
                "Dispenser", "FuelPassbook", "ISO7816", "Metering", "Parameters", "Quantities", "Records",
                "SecurityModule",
            ]
        ),

        // Edges
        .target(name: "PCSC", dependencies: ["CPCSCLite", "Files", "ISO7816", "Threads"]),
        .target(name: "GPIO", dependencies: ["CGPIOD", "CLinux", "Files", "Metering", "Quantities", "Threads"]),
        .target(name: "Keypad", dependencies: ["CLinux", "CardCryptography", "Files", "Threads"]),
        .target(
            name: "KeyFiles",
            dependencies: ["CardCryptography", "Codes", "Files", "FuelPassbook", "ISO7816", "KeyCustody", "Threads"]
        ),
        .target(
            name: "Tokens",
            dependencies: ["CPKCS11", "CardCryptography", "Files", "KeyCustody", "KeyFiles", "Threads"]
        ),
        .target(name: "ParameterFiles", dependencies: ["Files", "Parameters"]),
        .target(name: "StationInterface", dependencies: ["CLinux", "Codes", "SQLite", "Threads"]),
        .target(name: "Pump", dependencies: ["Metering", "Threads"]),
        .target(
            name: "TotaliserFiles",
            dependencies: ["Files", "FuelPassbook", "ISO7816", "Quantities", "Records", "Threads"]
        ),
        .target(
            name: "Console",
            dependencies: [
                "CLinux", "CardCryptography", "Codes", "FuelPassbook", "ISO7816", "Quantities", "Threads",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "Journal",
            dependencies: [
                "CardCryptography", "Files", "FuelPassbook", "ISO7816", "Metering", "Parameters", "Quantities",
                "Records",
                "SQLite", "Threads",
            ]
        ),
        .target(
            name: "VirtualCards",
            dependencies: ["CardApplication", "CardCryptography", "FuelPassbook", "ISO7816"]
        ),
        .target(name: "VirtualPump", dependencies: ["Metering", "Threads"]),
        .target(
            name: "Counter",
            dependencies: [
                "CardCryptography", "Files", "FuelPassbook", "ISO7816", "Issuer", "Quantities", "Records",
                "SecurityModule",
            ]
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "CardApplication", "CardCryptography", "Dispenser", "FuelPassbook", "GreyLock", "ISO7816", "Issuer",
                "Metering", "PulseSignals", "Quantities", "Records", "SecurityModule", "Threads", "VirtualPump",
                "Words",
            ]
        ),

        // Assembly and executables
        .target(
            name: "Configuration",
            dependencies: [
                "CTOML", "Codes", "Dispenser", "Files", "FuelPassbook", "GPIO", "ISO7816", "KeyFiles", "Metering",
                "Parameters",
                "Quantities", "StationInterface", "Threads", "Tokens", "TotaliserFiles", "Words",
            ]
        ),
        .target(
            name: "Station",
            dependencies: [
                "CLinux", "CardCryptography", "Codes", "Configuration", "Console", "Dispenser", "Files", "FuelPassbook",
                "GPIO",
                "ISO7816", "Journal", "KeyCustody", "KeyFiles", "Keypad", "Metering", "PCSC", "ParameterFiles",
                "Parameters", "Pump", "Quantities", "Records", "SecurityModule", "StationInterface", "Threads",
                "Tokens",
                "TotaliserFiles", "Words",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "CardWorkshop",
            dependencies: [
                "CardApplication", "CardCryptography", "Codes", "Configuration", "Console", "Files", "FuelPassbook",
                "ISO7816", "Issuer", "KeyCustody", "KeyFiles", "Quantities", "Station", "Threads", "VirtualCards",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "VirtualStation",
            dependencies: [
                "CardApplication", "Configuration", "Dispenser", "Metering", "Quantities", "Records", "Station",
                "VirtualCards", "VirtualPump",
            ]
        ),
        .executableTarget(name: "greylockd", dependencies: ["Console", "Station", "Threads"]),
        .executableTarget(
            name: "greylock",
            dependencies: [
                "CICUData", "CLinux", "CardApplication", "CardCryptography", "CardWorkshop", "Codes", "Configuration",
                "Console", "Counter", "Dispenser", "Explanations", "Files", "FuelPassbook", "GPIO", "ISO7816", "Issuer",
                "Journal", "KeyBlocks", "KeyCustody", "KeyFiles", "Keypad", "Metering", "PCSC", "ParameterFiles",
                "Parameters", "Proving", "PulseSignals", "Quantities", "Records", "SecurityModule", "Simulation",
                "Station", "StationInterface", "Threads", "Tokens", "VirtualCards",
                "VirtualPump", "VirtualStation", "Words",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "greylock-bench",
            dependencies: [
                "CICUData", "CardApplication", "CardCryptography", "Console", "Dispenser", "Files", "FuelPassbook",
                "GreyLock", "ISO7816", "Journal", "KeyBlocks", "KeyCustody", "KeyFiles", "Metering", "PCSC",
                "Parameters", "PulseSignals", "Quantities", "Records", "SecurityModule", "Simulation", "Station",
                "Threads", "Tokens", "VirtualCards",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        .executableTarget(name: "minimal-service", dependencies: ["CSQLite"]),

        // Tests
        .target(name: "CInspection", path: "Tests/CInspection"),
        .target(
            name: "TestCards",
            dependencies: ["CardApplication", "CardCryptography", "FuelPassbook", "ISO7816", "Quantities"],
            path: "Tests/TestCards"
        ),
        .target(name: "TestFolders", path: "Tests/TestFolders"),
        .target(
            name: "TestJournals",
            dependencies: ["Journal", "Quantities", "Records", "SecurityModule"],
            path: "Tests/TestJournals"
        ),
        .testTarget(name: "ISO7816Tests", dependencies: ["ISO7816"]),
        .testTarget(
            name: "CardCryptographyTests",
            dependencies: ["CInspection", "CardCryptography", "FuelPassbook", "ISO7816", "Quantities", "TestCards"]
        ),
        .testTarget(
            name: "CardApplicationTests",
            dependencies: [
                "CardApplication", "CardCryptography", "FuelPassbook", "ISO7816", "Issuer", "KeyCustody", "Quantities",
                "Simulation", "TestCards", "VirtualCards",
            ]
        ),
        .testTarget(
            name: "SecurityModuleTests",
            dependencies: [
                "CardApplication", "CardCryptography", "FuelPassbook", "ISO7816", "Quantities", "Records",
                "SecurityModule", "TestCards",
            ]
        ),
        .testTarget(
            name: "GreyLockTests",
            dependencies: [
                "CardApplication", "Dispenser", "FuelPassbook", "GreyLock", "ISO7816", "Quantities", "Records",
                "SecurityModule", "TestCards",
            ]
        ),
        .testTarget(
            name: "KeyBlocksTests",
            dependencies: ["CardCryptography", "KeyBlocks"],
            exclude: ["Vectors", "psec_peer.py"]
        ),
        .testTarget(
            name: "KeyCustodyTests",
            dependencies: [
                "CardCryptography", "FuelPassbook", "ISO7816", "Issuer", "KeyBlocks", "KeyCustody", "Quantities",
            ],
            exclude: ["Vectors"]
        ),
        .target(
            name: "TestCounters",
            dependencies: [
                "CardApplication", "CardCryptography", "Counter", "Files", "FuelPassbook", "ISO7816", "Issuer",
                "Quantities", "Records", "SecurityModule", "TestCards", "TestFolders",
            ],
            path: "Tests/TestCounters"
        ),
        .testTarget(
            name: "CounterTests",
            dependencies: [
                "CardApplication", "CardCryptography", "Counter", "Files", "FuelPassbook", "ISO7816", "Quantities",
                "TestCards", "TestCounters", "TestFolders",
            ]
        ),
        .testTarget(
            name: "TokensTests",
            dependencies: [
                "CardCryptography", "FuelPassbook", "ISO7816", "KeyCustody", "KeyFiles", "Quantities", "Records",
                "SecurityModule", "Station", "TestPrograms", "Tokens",
            ]
        ),
        .target(
            name: "TestSeals",
            dependencies: [
                "CardCryptography", "FuelPassbook", "ISO7816", "Metering", "Parameters", "Quantities", "Records",
            ],
            path: "Tests/TestSeals"
        ),
        .testTarget(
            name: "ParametersTests",
            dependencies: [
                "CardCryptography", "FuelPassbook", "Metering", "Parameters", "Quantities", "Records", "TestSeals",
            ]
        ),
        .testTarget(
            name: "StationInterfaceTests",
            dependencies: ["Codes", "SQLite", "StationInterface", "TestFolders", "TestPrograms", "Threads"]
        ),
        .testTarget(name: "KeypadTests", dependencies: ["CardCryptography", "Keypad"], exclude: ["Vectors"]),
        .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "Threads"]),
        .testTarget(name: "MeteringTests", dependencies: ["Metering", "Quantities"]),
        .testTarget(name: "PulseSignalsTests", dependencies: ["Metering", "PulseSignals"]),
        .testTarget(
            name: "ProvingTests",
            dependencies: ["CardCryptography", "ISO7816", "Metering", "Proving", "Quantities"],
            exclude: ["proving_peer.py"]
        ),
        .testTarget(
            name: "DispenserTests",
            dependencies: [
                "CardApplication", "CardCryptography", "Dispenser", "FuelPassbook", "ISO7816", "Issuer", "Metering",
                "Quantities", "Records", "SecurityModule", "Simulation", "VirtualPump", "Words",
            ]
        ),
        .testTarget(
            name: "ExplanationsTests",
            dependencies: ["Codes", "Console", "Explanations", "TestFolders", "TestPrograms", "greylock"]
        ),
        .testTarget(
            name: "WordsTests",
            dependencies: [
                "Codes", "Dispenser", "FuelPassbook", "ISO7816", "Metering", "Parameters", "Quantities", "Records",
                "SecurityModule", "Words",
            ]
        ),
        .testTarget(name: "VirtualPumpTests", dependencies: ["Metering", "VirtualPump"]),
        .testTarget(
            name: "PumpTests",
            dependencies: [
                "Dispenser", "FuelPassbook", "Metering", "Pump", "Quantities", "Records", "Simulation", "Station",
                "TestPrograms", "Threads", "VirtualPump",
            ]
        ),
        .testTarget(name: "SimulationTests", dependencies: ["PulseSignals", "Simulation"]),
        .executableTarget(
            name: "JournalEdits",
            dependencies: [
                "CardCryptography", "Dispenser", "FuelPassbook", "ISO7816", "Journal", "Metering", "Parameters",
                "Quantities", "Records", "SQLite", "SecurityModule", "Simulation",
            ],
            path: "Tests/JournalEdits"
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: [
                "CardCryptography", "Dispenser", "FuelPassbook", "ISO7816", "Journal", "JournalEdits", "Metering",
                "Quantities", "Records", "SQLite", "SecurityModule", "Simulation", "TestFolders", "TestJournals",
            ]
        ),
        .testTarget(
            name: "TotaliserFilesTests",
            dependencies: [
                "FuelPassbook", "ISO7816", "Quantities", "Records", "SecurityModule", "TestFolders", "TotaliserFiles",
            ]
        ),
        .target(
            name: "TestPrograms",
            dependencies: [
                "CInspection", "COpenSSL", "CardCryptography", "FuelPassbook", "ISO7816", "Metering", "PCSC",
                "ParameterFiles", "Parameters", "Quantities", "Records", "SecurityModule", "TestFolders", "Threads",
            ],
            path: "Tests/TestPrograms"
        ),
        .testTarget(
            name: "PCSCTests",
            dependencies: [
                "CInspection", "CPCSCLite", "CardApplication", "CardCryptography", "Counter", "Dispenser",
                "FuelPassbook", "ISO7816", "Issuer", "KeyBlocks", "KeyCustody", "KeyFiles", "PCSC", "Quantities",
                "Records", "SecurityModule", "TestFolders", "TestPrograms", "Threads", "VirtualCards", "greylock",
                "greylockd",
            ]
        ),
        .testTarget(
            name: "VirtualCardsTests",
            dependencies: [
                "CardApplication", "FuelPassbook", "ISO7816", "TestFolders", "TestPrograms", "VirtualCards",
            ]
        ),
        .testTarget(
            name: "GPIOTests",
            dependencies: [
                "CardCryptography", "Files", "FuelPassbook", "GPIO", "KeyCustody", "KeyFiles", "Keypad", "Metering",
                "Parameters", "Quantities", "TestFolders", "TestPrograms", "Threads", "greylock", "greylockd",
            ]
        ),
        .testTarget(
            name: "CardWorkshopTests",
            dependencies: ["CardWorkshop", "Configuration", "FuelPassbook", "Quantities", "Threads"]
        ),
        .testTarget(
            name: "ToolTests",
            dependencies: [
                "CardCryptography", "Dispenser", "FuelPassbook", "ISO7816", "Issuer", "Journal", "KeyCustody",
                "KeyFiles", "Metering", "ParameterFiles", "Parameters", "Quantities", "Records", "SQLite",
                "SecurityModule", "Station", "TestFolders", "TestJournals", "TestPrograms", "Threads", "VirtualCards",
                "greylock", "greylock-bench",
            ]
        ),
        .testTarget(
            name: "ConsoleTests",
            dependencies: [
                "CardCryptography", "Console", "FuelPassbook", "ISO7816", "TestFolders", "TestPrograms", "Threads",
            ]
        ),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: [
                "Configuration", "Dispenser", "FuelPassbook", "GPIO", "ISO7816", "KeyFiles", "Metering", "Parameters",
                "Quantities", "Simulation", "TestFolders", "TestPrograms", "Tokens", "Words",
            ]
        ),
        .testTarget(
            name: "StationTests",
            dependencies: [
                "CardCryptography", "Codes", "Configuration", "Console", "Dispenser", "Files", "FuelPassbook",
                "ISO7816",
                "Journal", "KeyCustody", "KeyFiles", "Metering", "ParameterFiles", "Parameters", "Pump", "Quantities",
                "Records", "SecurityModule", "Station", "StationInterface", "TestFolders", "TestJournals",
                "TestPrograms",
                "Threads", "VirtualPump",
                "VirtualStation", "Words", "greylock", "greylockd",
            ]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
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
