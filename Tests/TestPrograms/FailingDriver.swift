import Foundation

/// A second virtual driver, whose reader can fail alone: a library that hands each call on to a copy of the driver and answers
/// as for a reader that was pulled out while ``setGone(_:)`` says so. It can say a channel, which the virtual driver does not.
struct FailingDriver {
    /// What pcscd loads.
    let library: String
    private let flag: String
    private let channel: String

    /// - Parameters:
    ///   - driver: the virtual driver.
    ///   - folder: where the library and the copy are made. Loaded from another file, the copy has variables of its own.
    init(copying driver: String, in folder: String) throws {
        let (source, copy) = ("\(folder)/failing.c", "\(folder)/copy.so")
        library = "\(folder)/failing.so"
        flag = "\(folder)/gone"
        channel = "\(folder)/channel"
        let original = URL(fileURLWithPath: driver).resolvingSymlinksInPath().path
        try FileManager.default.copyItem(atPath: original, toPath: copy)
        try Self.source.write(toFile: source, atomically: false, encoding: .utf8)
        let paths = ["-DDRIVER=\"\(copy)\"", "-DGONE=\"\(flag)\"", "-DCHANNEL=\"\(channel)\""]
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

    /// - Parameter bytes: what is answered for SCARD_ATTR_CHANNEL_ID from now on.
    func setChannel(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: channel), options: .atomic)
    }

    /// The IFD handler interface, version 3, as far as the virtual driver has it. 617 is IFD_NO_SUCH_DEVICE, 612
    /// IFD_COMMUNICATION_ERROR.
    private static let source = """
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <unistd.h>
        typedef unsigned long word;
        typedef struct { word protocol, length; } pci;
        static void *driver(const char *name) {
          static void *library;
          if (!library) library = dlopen(DRIVER, RTLD_NOW | RTLD_LOCAL);
          return dlsym(library, name);
        }
        #define FORWARD(NAME, PARAMETERS, ...) \\
          long NAME PARAMETERS { return ((long (*) PARAMETERS)driver(#NAME))(__VA_ARGS__); }
        #define FORWARD_IF_THERE(NAME, PARAMETERS, ...) \\
          long NAME PARAMETERS { return access(GONE, F_OK) ? ((long (*) PARAMETERS)driver(#NAME))(__VA_ARGS__) : 617; }
        FORWARD(IFDHCreateChannel, (word lun, word channel), lun, channel)
        FORWARD(IFDHCreateChannelByName, (word lun, char *name), lun, name)
        FORWARD(IFDHCloseChannel, (word lun), lun)
        long IFDHGetCapabilities(word lun, word tag, word *length, char *value) {
          int channel = tag == 0x00020110 ? open(CHANNEL, O_RDONLY | O_CLOEXEC) : -1;
          if (channel < 0)
            return ((long (*)(word, word, word *, char *))driver("IFDHGetCapabilities"))(lun, tag, length, value);
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
        FORWARD_IF_THERE(IFDHPowerICC, (word lun, word action, char *atr, word *length), lun, action, atr, length)
        FORWARD_IF_THERE(IFDHTransmitToICC,
          (word lun, pci sent, char *command, word count, char *answer, word *length, pci *received),
          lun, sent, command, count, answer, length, received)
        FORWARD(IFDHControl,
          (word lun, word code, char *command, word count, char *answer, word room, word *length),
          lun, code, command, count, answer, room, length)
        FORWARD_IF_THERE(IFDHICCPresence, (word lun), lun)
        """
}
