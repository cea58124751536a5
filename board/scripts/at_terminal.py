"""Programs at terminals of their own, and a shim between card and reader."""

import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

VERBOSE = "--verbose" in sys.argv
GREYLOCK = sys.argv[1]
PATIENCE = 60


class Failure(Exception):
    pass


def say(text):
    print(text, flush=True)


class Program:
    """A program at a terminal of its own: what it shows is read as it comes, and searched once."""

    def __init__(self, *arguments):
        self.name = " ".join(arguments[:2])
        self.text, self.place, self.status = "", 0, None
        self.child, self.master = pty.fork()
        if self.child == 0:
            try:
                os.execv(GREYLOCK, ["greylock", *arguments])
            finally:
                os._exit(127)

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self.master, 65536)
        except OSError:
            part = b""
        self.text += part.decode("utf-8", "replace")
        if VERBOSE and part:
            sys.stderr.write(part.decode("utf-8", "replace"))
        return bool(part)

    def wait(self, words):
        """Goes on behind the words."""
        until = time.monotonic() + PATIENCE
        while True:
            found = self.text.find(words, self.place)
            if found >= 0:
                self.place = found + len(words)
                return self
            if not self.read(max(0, until - time.monotonic())) or time.monotonic() > until:
                found = self.text.find(words, self.place)
                if found >= 0:
                    continue
                raise Failure(f"{self.name}: no {words!r} in what it said:\n{self.text[-600:]}")

    def type(self, text):
        os.write(self.master, text.encode())
        return self

    def answer(self, words, text):
        return self.wait(words).type(text + "\r")

    def end(self, status=0):
        """Its last words, when it ended by itself with that status."""
        until = time.monotonic() + PATIENCE
        while self.read(max(0, until - time.monotonic())):
            if time.monotonic() > until:
                raise Failure(f"{self.name} does not end:\n{self.text[-600:]}")
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        os.close(self.master)
        if status is not None and self.status != status:
            raise Failure(f"{self.name} ended with {self.status}, not {status}:\n{self.text[-600:]}")
        return self.text[self.place :]

    def stop(self, number=signal.SIGTERM):
        os.kill(self.child, number)
        return self.end(status=None)


def run(*arguments, status=0):
    return Program(*arguments).end(status)


def run_quietly(*arguments):
    """Its standard output alone."""
    return subprocess.run([GREYLOCK, *arguments], check=True, stdout=subprocess.PIPE).stdout


def expect(text, *words):
    for word in words:
        if word not in text:
            raise Failure(f"no {word!r} in:\n{text}")
    return text


def shown(text, *words):
    """What a user would look at of a program's output."""
    for line in text.splitlines():
        if any(word in line for word in words):
            say("   " + line.strip())


class Shim:
    """Between card and reader, as a thief's is: it loses one command, or its answer, and then the card is out."""

    def __init__(self, reader):
        self.reader, self.lost = reader, threading.Event()
        self.rule = None
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def lose(self, command, answer):
        """The next command that begins so; only its answer, if `answer`."""
        self.rule = (bytes.fromhex(command), answer)
        self.lost.clear()

    def serve(self):
        while True:
            card, _ = self.server.accept()
            reader = socket.create_connection(("127.0.0.1", self.reader))
            try:
                self.relay(card, reader)
            except OSError:
                pass
            card.close()
            reader.close()

    @staticmethod
    def message(end):
        def take(count):
            data = b""
            while len(data) < count:
                part = end.recv(count - len(data))
                if not part:
                    raise OSError
                data += part
            return data

        head = take(2)
        return head + take(struct.unpack(">H", head)[0])

    def relay(self, card, reader):
        while True:
            command = self.message(reader)
            rule = self.rule
            matches = rule and command[2:].startswith(rule[0])
            if matches and not rule[1]:
                self.rule = None
                self.lost.set()
                return
            card.sendall(command)
            # Of the reader's own messages only the one for the ATR is answered.
            if len(command) == 3 and command[2] != 4:
                continue
            answer = self.message(card)
            if matches:
                self.rule = None
                self.lost.set()
                return
            reader.sendall(answer)
