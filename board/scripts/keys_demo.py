"""The story of a terminal's own keys: `keys_demo.py GREYLOCK [--verbose]`, in a mount namespace of its own."""

import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

GREYLOCK = sys.argv[1]
VERBOSE = "--verbose" in sys.argv[2:]
PATIENCE = 60
TERMINAL = "310000000017"
COUNTER = "310000009001"
AID = "F0504554524F4C02"
PASSPHRASE = "correct horse battery staple"
PIN = "123456"
DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"


DEBIT_FOR_UNLOCK = "E0540101"


class Failure(Exception):
    pass


def say(text):
    print(text, flush=True)


def step(text):
    say(f"\n== {text}")


class Program:
    """A program at a terminal of its own: what it shows is read as it comes, and searched once."""

    def __init__(self, *arguments):
        self.name = " ".join(arguments[:2])
        self.text, self.place, self.status = "", 0, None
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.execv(GREYLOCK, ["greylock", *arguments])

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
                raise Failure(f"{self.name}: no {words!r} in what it said:\n{self.text[-3000:]}")

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
                raise Failure(f"{self.name} does not end:\n{self.text[-3000:]}")
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        os.close(self.master)
        if status is not None and self.status != status:
            raise Failure(f"{self.name} ended with {self.status}, not {status}:\n{self.text[-3000:]}")
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


class Scene:
    def __init__(self, folder):
        self.folder = folder
        self.config = self.path("greylock.toml")
        self.reader = self.pcscd()
        self.shim = Shim(self.reader)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def pcscd(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        os.mkdir(self.path("run"))
        os.mkdir(self.path("readers"))
        self.write(
            "readers/virtual",
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port}\nLIBPATH {DRIVER}\nCHANNELID {port}\n',
        )
        if not os.path.isdir("/run/pcscd"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
            os.mkdir("/run/pcscd")
        subprocess.run(["mount", "--bind", self.path("run"), "/run/pcscd"], check=True)
        self.daemon = subprocess.Popen(
            ["pcscd", "--foreground", "--info", "--config", self.path("readers")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in self.daemon.stdout:
            if "daemon ready" in line:
                break
        threading.Thread(target=lambda: [None for _ in self.daemon.stdout], daemon=True).start()
        return port

    def configure(self):
        self.write("storage-key", os.urandom(32))
        self.write(
            "greylock.toml",
            f"""
demonstration = false
terminal = {{ id = "{TERMINAL}" }}
journal = {{ path = "{self.path("journal.sqlite")}" }}
card = {{ aid = "{AID}" }}
display = {{ language = "english" }}
[keys]
store = "{self.path("keys")}"
storage_key = "{self.path("storage-key")}"
[side.1]
card = {{ kind = "pcsc", reader = "Virtual PCD" }}
pin = {{ kind = "terminal" }}
[side.1.pump]
nozzle = 1
grade = "92"
price = 785
pulses_per_litre = 100
channels = 2
security = "alarm"
kind = "simulated"
simulated = {{ centilitres = 500, litres_per_minute = 40, speed = 10 }}
""",
        )

    # -- Who types what

    def sheet(self, number):
        """Groups, check value and the key's check value, as the custodian reads them."""
        with open(self.path(f"sheet-{number}"), encoding="utf-8") as file:
            return file.read()

    def custodians(self, program, names=("Li Na", "Ana Souza")):
        for number, name in enumerate(names, 1):
            text = self.sheet(number)
            own = re.search(r"value of this component: ([0-9A-F ]+)", text).group(1)
            program.answer("your name: ", name)
            program.answer("your envelope's number: ", f"A-{number}")
            program.answer("yes or no: ", "yes")
            program.wait("and their check digit:").type(" ".join(re.findall(r"[0-9A-F]{4}-[0-9A-F]", text)))
            program.answer("check value of your component, 10 digits: ", own)
        for _ in names:
            program.answer("yes or no: ", "yes")
        return program

    @staticmethod
    def passphrase(program):
        return program.wait("passphrase of ").answer(": ", PASSPHRASE)

    def counter(self, *arguments, status=0, pin=True):
        stores = [word for version in (1, 2) for word in ("--store", self.issuer(version))]
        program = Program("counter", *arguments, "--book", self.path("book"), *stores)
        for _ in (1, 2):
            self.passphrase(program)
        if pin:
            program.answer("PIN: ", PIN)
        return program.end(status)

    def issuer(self, version):
        return self.path(f"issuer-{version}")

    def new_issuer(self, version):
        program = Program("keys", "new", "--store", self.issuer(version), "--version", str(version))
        program.answer("new passphrase: ", PASSPHRASE).answer("again: ", PASSPHRASE)
        return program.end()

    def new_card(self, name, version, number):
        profile = self.write(
            f"{name}.toml",
            f"""
issuer = "GREYLOCK"
asn = "0001{number:016d}"
valid_from = "2024-01-01"
valid_to = "2049-12-31"
balance_fen = 50000
pin = "demonstration"
keys = "{self.issuer(version)}"
""",
        )
        self.passphrase(Program("card", "new", "--profile", profile, "--state", self.path(name))).end()

    def insert(self, name, version, through_shim=False, waits=False):
        port = self.shim.port if through_shim else self.reader
        card = Program(
            *("card", "serve", "--vpcd", str(port), "--state", self.path(name)),
            *("--keys", self.issuer(version), "--aid", AID),
        )
        self.passphrase(card)
        card.wait("is in the reader")
        # pcscd sees it a little later; where a service has the card, that is busy with it.
        if waits:
            until = time.monotonic() + PATIENCE
            while Program("card", "status").end(None) and time.monotonic() < until:
                time.sleep(0.1)
        return card

    @staticmethod
    def take_out(card):
        card.stop()

    @staticmethod
    def customer(service):
        service.wait("Reading your card...").answer("your PIN, then Enter: ", PIN)
        return service


def story(scene):
    step("An offline machine makes the transport key of one terminal, a page for each custodian")
    places = [word for number in (1, 2) for word in ("--to", scene.path(f"sheet-{number}"))]
    run("keys", "generate", "--terminal", TERMINAL, *places)
    shown(scene.sheet(1), "COMPONENT", "check value")

    step("The issuer makes the masters of version 1 and of version 2, and a card of each")
    for version in (1, 2):
        scene.new_issuer(version)
        scene.new_card(f"card-{version}", version, 42 + version)

    step("The pump starts without keys, and says so")
    scene.configure()
    service = Program("run", "--config", scene.config)
    service.wait("this terminal has no keys")

    step("Two custodians load the transport key, the issuer's blocks bring MPK and record key")
    expect(scene.custodians(Program("keys", "load", "--config", scene.config)).end(), "loaded: TRANSPORT 0 1")
    for version in (1, 2):
        only = ("--master-only",) if version == 2 else ()
        wrap = Program(
            *("keys", "wrap", "--store", scene.issuer(version), "--terminal", TERMINAL),
            *("--into", scene.path(f"blocks-{version}"), *only),
        )
        scene.custodians(scene.passphrase(wrap)).end()
    shown(run("keys", "load", "--config", scene.config, scene.path("blocks-1")), "loaded")
    run("keys", "activate", "--config", scene.config, "1", "1")
    service.wait("selling=MPK 1 1")

    step("A card of version 1 buys")
    card = scene.insert("card-1", 1)
    scene.customer(service).wait("notice paid")
    scene.take_out(card)

    step("Between two sales version 2 is loaded and activated: a card of each version buys")
    run("keys", "load", "--config", scene.config, scene.path("blocks-2"))
    run("keys", "activate", "--config", scene.config, "1", "2")
    service.wait("selling=MPK 1 1, MPK 1 2")
    for version in (2, 1):
        card = scene.insert(f"card-{version}", version)
        scene.customer(service).wait("notice paid")
        scene.take_out(card)

    step("A card of version 1 is pulled while fuel flows; its version is retired; it pays and is free, and buys no more")
    card = scene.insert("card-1", 1)
    scene.customer(service).wait("fuelling")
    card.stop(signal.SIGKILL)
    service.wait("escaped")
    run("keys", "retire", "--config", scene.config, "1", "1")
    service.wait("selling=MPK 1 2")
    refused = run("keys", "erase", "--config", scene.config, "MPK", "1", "1", "--reason", "worn", status=65)
    shown(expect(refused, "is needed by"), "is needed by", "record")
    card = scene.insert("card-1", 1)
    service.wait("settled")
    scene.take_out(card)

    step("Now version 1 is erased, and its card is refused with words")
    run("keys", "erase", "--config", scene.config, "MPK", "1", "1", "--reason", "worn")
    service.wait("selling=MPK 1 2")
    card = scene.insert("card-1", 1)
    scene.customer(service).wait("index 1, version 1")
    scene.take_out(card)

    step("A card is pulled while fuel flows, and its holder goes to the issuer's counter with what the pump recorded")
    card = scene.insert("card-2", 2)
    scene.customer(service).wait("fuelling")
    card.stop(signal.SIGKILL)
    service.wait("escaped")
    scene.write("grey.txt", run_quietly("records", "export", "--config", scene.config))
    stores = [word for version in (1, 2) for word in ("--store", scene.issuer(version))]
    book = Program("counter", "new", "--book", scene.path("book"), "--counter", COUNTER, *stores)
    for _ in (1, 2):
        scene.passphrase(book)
    book.end()
    service.stop()
    for loses_answer in (False, True):
        card = scene.insert("card-2", 2, through_shim=True, waits=True)
        scene.shim.lose(DEBIT_FOR_UNLOCK, loses_answer)
        said = scene.counter("unlock", "--records", scene.path("grey.txt"), status=75)
        shown(said, "again")
        card.stop()
    card = scene.insert("card-2", 2, waits=True)
    shown(scene.counter("unlock", "--records", scene.path("grey.txt"), status=None), "released", "paid", "yuan")
    scene.take_out(card)
    shown(scene.counter("list", pin=False), "unlock")

    step("What the custodians did stands in the audit log")
    shown(run("audit", "verify", "--config", scene.config), "entries", "codes", "store", "journal")


def main():
    if not os.path.exists(DRIVER):
        sys.exit(f"keys-demo: no {DRIVER}: install vsmartcard-vpcd")
    folder = tempfile.mkdtemp(prefix="greylock-keys-")
    scene = None
    try:
        scene = Scene(folder)
        story(scene)
    except Failure as failure:
        sys.exit(f"\nkeys-demo: {failure}")
    finally:
        if scene:
            scene.daemon.kill()
            scene.daemon.wait()
            subprocess.run(["umount", "/run/pcscd"], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    say("\nAll of it went as it must.")


main()
