import Foundation

/// A second virtual driver, of one or two readers of one name: a library that hands each call on to a copy of the driver for each
/// reader. The first can fail alone: it is answered for as for a reader that was pulled out while ``setGone(_:)`` says so. Each can
/// say a channel, which the virtual driver does not.
struct FailingDriver {
    /// What pcscd loads.
    let library: String
    private let flag: String
    private let channels: String
    private let power: String

    /// - Parameters:
    ///   - driver: the virtual driver.
    ///   - folder: where the library and the copies are made. Loaded from another file, a copy has variables of its own.
    init(copying driver: String, in folder: String) throws {
        let source = "\(folder)/failing.c"
        library = "\(folder)/failing.so"
        flag = "\(folder)/gone"
        channels = "\(folder)/channel-"
        power = "\(folder)/power"
        let original = URL(fileURLWithPath: driver).resolvingSymlinksInPath().path
        let copies = ["\(folder)/copy-0.so", "\(folder)/copy-1.so"]
        for copy in copies { try FileManager.default.copyItem(atPath: original, toPath: copy) }
        try Self.source.write(toFile: source, atomically: false, encoding: .utf8)
        let named = [
            ("FIRST", copies[0]), ("SECOND", copies[1]), ("GONE", flag), ("CHANNEL", channels), ("POWER", power),
        ]
        let paths = named.map { "-D\($0)=\"\($1)\"" }
        let compiler = try Run(
            command: ["/usr/bin/env", "cc", "-shared", "-fPIC", "-o", library] + paths + [source, "-ldl"]
        )
        guard compiler.status == 0 else { throw StartedProcess.Failure(description: "cc: \(compiler.error)") }
    }

    /// pcscd sees it when it next looks at the card, within 400 ms.
    func setGone(_ isGone: Bool) throws {
        if isGone {
            try Data().write(to: URL(fileURLWithPath: flag))
        } else {
            try FileManager.default.removeItem(atPath: flag)
        }
    }

    /// - Parameters:
    ///   - bytes: what is answered for SCARD_ATTR_CHANNEL_ID from now on.
    ///   - reader: 0 or 1.
    func setChannel(_ bytes: [UInt8], of reader: Int) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(channels)\(reader)"), options: .atomic)
    }

    /// How often a card was powered up or down, or reset.
    func powerActions() throws -> Int {
        FileManager.default.fileExists(atPath: power) ? try Data(contentsOf: URL(fileURLWithPath: power)).count : 0
    }

    /// The IFD handler interface, version 3, as far as the virtual driver has it. The upper half of a lun is the reader's number among
    /// the driver's. 617 is IFD_NO_SUCH_DEVICE, 612 IFD_COMMUNICATION_ERROR, 0x0FAF TAG_IFD_SIMULTANEOUS_ACCESS.
    private static let source = """
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <unistd.h>
        typedef unsigned long word;
        typedef struct { word protocol, length; } pci;
        static void *driver(word lun, const char *name) {
          static void *libraries[2];
          word reader = lun >> 16 & 1;
          if (!libraries[reader]) libraries[reader] = dlopen(reader ? SECOND : FIRST, RTLD_NOW | RTLD_LOCAL);
          return dlsym(libraries[reader], name);
        }
        #define CALL(NAME, PARAMETERS, ...) ((long (*) PARAMETERS)driver(lun, #NAME))(__VA_ARGS__)
        #define FORWARD(NAME, PARAMETERS, ...) \\
          long NAME PARAMETERS { return CALL(NAME, PARAMETERS, __VA_ARGS__); }
        #define FORWARD_IF_THERE(NAME, PARAMETERS, ...) \\
          long NAME PARAMETERS { return lun >> 16 || access(GONE, F_OK) ? CALL(NAME, PARAMETERS, __VA_ARGS__) : 617; }
        FORWARD(IFDHCreateChannel, (word lun, word channel), lun, channel)
        FORWARD(IFDHCreateChannelByName, (word lun, char *name), lun, name)
        FORWARD(IFDHCloseChannel, (word lun), lun)
        long IFDHGetCapabilities(word lun, word tag, word *length, char *value) {
          if (tag == 0x0FAF && *length) {
            *length = 1;
            *value = 2;
            return 0;
          }
          int channel = tag == 0x00020110 ? open(lun >> 16 ? CHANNEL "1" : CHANNEL "0", O_RDONLY | O_CLOEXEC) : -1;
          if (channel < 0)
            return CALL(IFDHGetCapabilities, (word lun, word tag, word *length, char *value), lun, tag, length, value);
          long count = read(channel, value, *length);
          close(channel);
          if (count < 0) return 612;
          *length = count;
          return 0;
        }
        FORWARD(IFDHSetCapabilities, (word lun, word tag, word length, char *value), lun, tag, length, value)
        FORWARD(IFDHSetProtocolParameters,
          (word lun, word protocol, unsigned char flags, unsigned char a, unsigned char b, unsigned char c),
          lun, protocol, flags, a, b, c)
        long IFDHPowerICC(word lun, word action, char *atr, word *length) {
          int power = open(POWER, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
          if (power < 0 || write(power, "x", 1) != 1 || close(power)) return 612;
          if (!(lun >> 16) && !access(GONE, F_OK)) return 617;
          return CALL(IFDHPowerICC, (word lun, word action, char *atr, word *length), lun, action, atr, length);
        }
        FORWARD_IF_THERE(IFDHTransmitToICC,
          (word lun, pci sent, char *command, word count, char *answer, word *length, pci *received),
          lun, sent, command, count, answer, length, received)
        FORWARD(IFDHControl,
          (word lun, word code, char *command, word count, char *answer, word room, word *length),
          lun, code, command, count, answer, room, length)
        FORWARD_IF_THERE(IFDHICCPresence, (word lun), lun)
        """
}
