"""A disk that loses what was written and not flushed when the power of its machine is cut.

An NBD server (fixed newstyle, one client, simple replies) for the `--disk` of board/vm, on a thread of its own. What
is written stays in memory and is read back from there; a flush takes a while, as on a memory card, and then brings it
to the image file. The disk announces a volatile write cache and no forced unit access, so that the board's kernel says
with a flush whatever has to last.

The corresponding text is doc/proto.md of the NBD project.
"""

import os
import random
import signal
import socket
import struct
import threading

SECTOR = 512
FLUSH_SECONDS_MAX = 0.02
# For the machine to be switched on.
MACHINE_SECONDS_MAX = 60
GREETING = struct.pack(">8s8sH", b"NBDMAGIC", b"IHAVEOPT", 1 << 0 | 1 << 1)  # fixed newstyle, no zeroes
OPTION_REPLY = 0x3E889045565A9
EXPORT_NAME, ABORT, GO = 1, 2, 7
ACKNOWLEDGED, INFORMATION, UNSUPPORTED = 1, 3, 1 << 31 | 1
HAS_FLAGS, SENDS_FLUSH = 1 << 0, 1 << 2
REQUEST, REPLY = 0x25609513, 0x67446698
READ, WRITE, DISCONNECT, FLUSH = range(4)
INVALID = 22


class VolatileDisk:
    """One power-up of the disk, listening at the socket `path`."""

    def __init__(self, image, path, chance, loses_all, on_flush):
        """`chance`, a random.Random, says how long a flush takes and, unless `loses_all`, which sectors a cut loses.

        `on_flush(number)` is called on each flush before and after it takes effect, with 2 * number and 2 * number + 1;
        when it calls `cut`, that is the instant.
        """
        self.file = open(image, "r+b", buffering=0)
        self.content = bytearray(self.file.read())
        self.chance, self.loses_all, self.on_flush = chance, loses_all, on_flush
        self.lock = threading.RLock()
        self.power_fails = threading.Event()
        self.unflushed = []
        self.flushes = 0
        self.sectors_unflushed = self.sectors_lost = 0
        self.machine = None
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(MACHINE_SECONDS_MAX)

    @property
    def is_cut(self):
        return self.power_fails.is_set()

    def cut(self):
        """Kills the machine; any thread may call. Nothing reaches the image any more but what the cut leaves there."""
        with self.lock:
            if self.is_cut:
                return
            self.power_fails.set()
            os.kill(self.machine, signal.SIGKILL)
            # A disk keeps any part of its cache, and of a sector all or nothing.
            share = 0 if self.loses_all else self.chance.choice([0, 0, 0.5, 1])
            for offset, data in self.unflushed:
                for start in range(0, len(data), SECTOR):
                    self.sectors_unflushed += 1
                    if self.chance.random() < share:
                        os.pwrite(self.file.fileno(), data[start : start + SECTOR], offset + start)
                    else:
                        self.sectors_lost += 1

    def serve(self):
        """Serves the one machine until it is switched off or cut."""
        client, _ = self.listener.accept()
        self.listener.close()
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.machine = struct.unpack("3i", credentials)[0]
        with client, self.file, client.makefile("rb") as stream:
            try:
                if self.negotiate(client, stream):
                    while self.answer(client, stream):
                        pass
            except (ConnectionError, struct.error):
                if not self.is_cut:
                    raise

    def negotiate(self, client, stream):
        client.sendall(GREETING)
        stream.read(4)
        while True:
            _, option, length = struct.unpack(">8sII", stream.read(16))
            stream.read(length)
            export = struct.pack(">QH", len(self.content), HAS_FLAGS | SENDS_FLUSH)
            if option == EXPORT_NAME:
                client.sendall(export)
                return True
            if option == GO:
                information = struct.pack(">H", 0) + export
                client.sendall(struct.pack(">QIII", OPTION_REPLY, option, INFORMATION, len(information)) + information)
            known = option in (GO, ABORT)
            client.sendall(struct.pack(">QIII", OPTION_REPLY, option, ACKNOWLEDGED if known else UNSUPPORTED, 0))
            if known:
                return option == GO

    def answer(self, client, stream):
        _, _, kind, handle, offset, length = struct.unpack(">IHHQQI", stream.read(28))
        data = stream.read(length) if kind == WRITE else b""
        if kind == DISCONNECT:
            return False
        if kind == FLUSH:
            self.power_fails.wait(self.chance.uniform(0, FLUSH_SECONDS_MAX))
        with self.lock:
            if self.is_cut:
                return False
            error, answer = self.perform(kind, offset, length, data)
            if self.is_cut:
                return False
        client.sendall(struct.pack(">IIQ", REPLY, error, handle) + answer)
        return True

    def perform(self, kind, offset, length, data):
        if kind == FLUSH:
            self.flush()
            return 0, b""
        if kind not in (READ, WRITE) or offset + length > len(self.content):
            return INVALID, b""
        if kind == READ:
            return 0, bytes(self.content[offset : offset + length])
        self.content[offset : offset + length] = data
        self.unflushed.append((offset, data))
        return 0, b""

    def flush(self):
        number = self.flushes
        self.flushes += 1
        self.on_flush(2 * number)
        if self.is_cut:
            return
        for offset, data in self.unflushed:
            os.pwrite(self.file.fileno(), data, offset)
        self.unflushed.clear()
        self.on_flush(2 * number + 1)


def serve_on_thread(disk):
    thread = threading.Thread(target=disk.serve, name="disk", daemon=True)
    thread.start()
    return thread
