"""The unit as a program beside it sees it: what systemd says of it, and its lines in the journal."""

import os
import queue
import subprocess
import sys
import threading
import time

UNIT = "greylockd.service"
# A machine with much other work asks for more.
PATIENCE_SECONDS = int(os.environ.get("GREYLOCK_PATIENCE", "90"))


class Wrong(Exception):
    """Something is not as it must be."""


def run(*command, check=True):
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8").stdout


def show(name):
    return run("systemctl", "show", "--value", "--property", name, UNIT).strip()


def until(what, condition, seconds=PATIENCE_SECONDS):
    """Looks until `condition` gives something, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise Wrong(f"{what}: not within {seconds} s; the unit is {show('ActiveState')}, it says \"{show('StatusText')}\"")


class Log:
    """The unit's lines in the journal as they come."""

    def __init__(self):
        self.follower = None
        self.lines = queue.Queue()
        # Not through its buffer: a thread that has that at the end is the end of the interpreter too.
        self.told = sys.stderr.fileno()
        self.follow()

    def follow(self):
        command = ["journalctl", "--follow", "--lines", "0", "--output", "cat", "--unit", UNIT]
        self.follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        threading.Thread(target=self.read, args=(self.follower,), daemon=True).start()

    def read(self, follower):
        for line in follower.stdout:
            os.write(self.told, f"    {line.rstrip()}\n".encode())
            self.lines.put(line.rstrip())

    def wait(self, text, seconds=PATIENCE_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise Wrong(f"the log does not say \"{text}\" within {seconds} s") from None
            if text in line:
                return line

    def clear(self):
        while not self.lines.empty():
            self.lines.get_nowait()
