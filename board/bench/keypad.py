"""keypad.py LINK [NAME]: a keypad of the kernel's uinput, for tests on a virtual board; LINK is its path that stays the same.

Commands come on standard input, one a line; each is answered by a line, "done" or what was asked for:

    plug | unplug       the device appears, and LINK to it; it vanishes
    plug KEYS           with these keys alone
    type KEYS           each pressed and let go: 0 to 9 of the main row, A to J the same of the keypad, n Enter, r that of the
                        keypad, b Backspace, e Escape, s Shift, x a letter, m and z minus and dot of the keypad
    down KEYS | up KEYS | repeat KEYS
    burst COUNT KEYS    as `type`, so many times, by one write
    grab | release      this program has the device alone, as another would
    listen              or opens it beside whoever has it
    read                what the kernel gives to whoever looks only now, in hexadecimal; "nothing"
"""

import fcntl
import os
import struct
import sys
from pathlib import Path

# linux/uinput.h and linux/input.h
UI_DEV_CREATE, UI_DEV_DESTROY, UI_DEV_SETUP = 0x5501, 0x5502, 0x405C5503
UI_SET_EVBIT, UI_SET_KEYBIT, UI_GET_SYSNAME = 0x40045564, 0x40045565, 0x8040552C
EVIOCGRAB = 0x40044590
EV_SYN, EV_KEY = 0, 1
EVENT = struct.Struct("@llHHi")

ROW = dict(zip("1234567890", range(2, 12)))
PAD = dict(zip("ABCDEFGHIJ", (82, 79, 80, 81, 75, 76, 77, 71, 72, 73)))
KEYS = ROW | PAD | {"n": 28, "r": 96, "b": 14, "e": 1, "s": 42, "x": 30, "m": 74, "z": 83}


def event(kind, code, value):
    return EVENT.pack(0, 0, kind, code, value)


def stroke(key, *values):
    return b"".join(event(EV_KEY, KEYS[key], value) + event(EV_SYN, 0, 0) for value in values)


class Keypad:
    def __init__(self, link, name):
        self.link, self.name = Path(link), name
        self.device = self.reader = None

    def plug(self, keys=KEYS):
        self.device = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.device, UI_SET_EVBIT, EV_KEY)
        for key in keys:
            fcntl.ioctl(self.device, UI_SET_KEYBIT, KEYS[key])
        fcntl.ioctl(self.device, UI_DEV_SETUP, struct.pack("@HHHH80sI", 3, 0x1234, 0x5678, 1, self.name.encode(), 0))
        fcntl.ioctl(self.device, UI_DEV_CREATE)
        answer = bytearray(64)
        fcntl.ioctl(self.device, UI_GET_SYSNAME, answer)
        folder = Path("/sys/devices/virtual/input", answer.split(b"\0")[0].decode())
        node = Path("/dev/input", next(folder.glob("event*")).name)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(node)

    def unplug(self):
        self.link.unlink(missing_ok=True)
        fcntl.ioctl(self.device, UI_DEV_DESTROY)
        os.close(self.device)

    def write(self, events):
        while events:
            events = events[os.write(self.device, events) // EVENT.size * EVENT.size :]

    def grab(self):
        self.listen()
        fcntl.ioctl(self.reader, EVIOCGRAB, 1)

    def listen(self):
        self.reader = os.open(self.link, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def release(self):
        os.close(self.reader)

    def read(self):
        seen = b""
        while True:
            try:
                seen += os.read(self.reader, 64 * EVENT.size)
            except BlockingIOError:
                return seen.hex() or "nothing"

    def obey(self, command, *words):
        if command in ("plug", "unplug", "grab", "release", "listen", "read"):
            return getattr(self, command)(*words)
        if command == "burst":
            count, keys = words
            self.write(b"".join(stroke(key, 1, 0) for key in keys) * int(count))
        else:
            values = {"type": (1, 0), "down": (1,), "up": (0,), "repeat": (2,)}[command]
            self.write(b"".join(stroke(key, *values) for key in words[0]))
        return None


def main():
    keypad = Keypad(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "Test Keypad")
    for line in sys.stdin:
        print(keypad.obey(*line.split()) or "done", flush=True)


main()
