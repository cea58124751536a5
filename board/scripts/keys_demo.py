"""The story of a terminal's own keys: `keys_demo.py GREYLOCK [--verbose]`, in a mount namespace of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from at_terminal import PATIENCE, Failure, Program, Shim, expect, run, run_quietly, say, shown

TERMINAL = "310000000017"
COUNTER = "310000009001"
AID = "F0504554524F4C02"
PASSPHRASE = "correct horse battery staple"
PIN = "123456"
DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
DEBIT_FOR_UNLOCK = "E0540101"
# How `card status` ends then.
NO_CARD = 69


def step(text):
    say(f"\n== {text}")


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
timeouts = {{ grace = 1 }}
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
kind = "simulated"
simulated = {{ centilitres = 500, litres_per_minute = 40, speed = 10 }}
""",
        )

    def meters(self):
        """What stands under seal, for `greylock parameters import`."""
        self.write(
            "meters.toml",
            """[side.1.pump]
meter_serial = "M-1"
pulser_serial = "P-1"
pulses_per_litre = 100
channels = 2
security = "alarm"
""",
        )
        return self.path("meters.toml")

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
        aid = () if arguments[0] in ("new", "list") else ("--aid", AID)
        program = Program("counter", *arguments, "--book", self.path("book"), "--store", self.path("issuer"), *aid)
        self.passphrase(program)
        if pin:
            program.answer("PIN: ", PIN)
        return program.end(status)

    def issuer(self, *arguments):
        """With its passphrase."""
        return self.passphrase(Program(*arguments, "--store", self.path("issuer"))).end()

    def new_issuer(self):
        program = Program("keys", "new", "--store", self.path("issuer"))
        program.answer("new passphrase: ", PASSPHRASE).answer("again: ", PASSPHRASE)
        return program.end()

    def new_card(self, name, number):
        """Of the newest version."""
        profile = self.write(
            f"{name}.toml",
            f"""
issuer = "GREYLOCK"
asn = "0001{number:016d}"
valid_from = "2024-01-01"
valid_to = "2049-12-31"
balance_fen = 50000
pin = "demonstration"
keys = "{self.path("issuer")}"
""",
        )
        self.passphrase(Program("card", "new", "--profile", profile, "--state", self.path(name))).end()

    def blocks(self, name, *more):
        """Of the newest version, for the terminal."""
        places = ("--store", self.path("issuer"), "--into", self.path(name))
        wrap = Program("keys", "wrap", *places, "--terminal", TERMINAL, *more)
        self.custodians(self.passphrase(wrap)).end()

    def insert(self, name, through_shim=False, waits=False):
        port = self.shim.port if through_shim else self.reader
        card = Program(
            *("card", "serve", "--vpcd", str(port), "--state", self.path(name)),
            *("--keys", self.path("issuer"), "--aid", AID),
        )
        self.passphrase(card)
        card.wait("is in the reader")
        # pcscd sees it a little later; where a service has the card, that is busy with it.
        if waits:
            self.reader_holds(True)
        return card

    @staticmethod
    def reader_holds(card):
        """Waits until pcscd has seen a card come, or go."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status = Program("card", "status", "--aid", AID)
            status.end(None)
            if (status.status != NO_CARD) == card:
                return
        raise Failure("pcscd sees no card" if card else "pcscd does not see the card go")

    def take_out(self, card, service=None):
        """vpcd does not see one that comes before it has seen the last one go."""
        card.stop()
        if service:
            service.wait("insert your card")
        else:
            self.reader_holds(False)

    @staticmethod
    def customer(service):
        service.wait("Reading your card...").answer("your PIN, then Enter: ", PIN)
        return service


def story(scene):
    step("An offline machine makes the transport key of one terminal, a page for each custodian")
    places = [word for number in (1, 2) for word in ("--to", scene.path(f"sheet-{number}"))]
    run("keys", "generate", "--terminal", TERMINAL, *places)
    shown(scene.sheet(1), "COMPONENT", "check value")

    step("The issuer makes the masters of version 1, and a card")
    scene.new_issuer()
    scene.new_card("card-1", 43)

    step("The pump starts without keys, and says so")
    scene.configure()
    service = Program("run", "--config", scene.config)
    service.wait("this terminal has no keys")

    step("Two custodians load the transport key, the issuer's blocks bring MPK and record key")
    expect(scene.custodians(Program("keys", "load", "--config", scene.config)).end(), "loaded: TRANSPORT 0 1")
    scene.blocks("blocks-1")
    shown(run("keys", "load", "--config", scene.config, scene.path("blocks-1")), "loaded")
    step("A technician and a second person put the meter's parameters under seal")
    meters = scene.meters()
    people = ["--name", "Zhao", "--second", "Okafor", "--reason", "first set"]
    shown(run("parameters", "import", meters, "--config", scene.config, *people), "under seal")
    run("keys", "activate", "--config", scene.config, "1", "1")
    service.wait("selling=MPK 1 1")

    step("A card of version 1 buys")
    card = scene.insert("card-1")
    scene.customer(service).wait("notice paid")
    scene.take_out(card, service)

    step("The issuer adds version 2 to its store, and makes a card of it")
    shown(scene.issuer("keys", "add", "--version", "2"), "added", "MPK")
    scene.new_card("card-2", 44)
    scene.blocks("blocks-2", "--master-only")

    step("Between two sales version 2 is loaded and activated: a card of each version buys")
    run("keys", "load", "--config", scene.config, scene.path("blocks-2"))
    run("keys", "activate", "--config", scene.config, "1", "2")
    service.wait("selling=MPK 1 1, MPK 1 2")
    for version in (2, 1):
        card = scene.insert(f"card-{version}")
        scene.customer(service).wait("notice paid")
        scene.take_out(card, service)

    step("A card of version 1 is pulled while fuel flows; its version is retired; it pays and is free, and buys no more")
    card = scene.insert("card-1")
    scene.customer(service).wait("fuelling")
    card.stop(signal.SIGKILL)
    service.wait("is not paid")
    run("keys", "retire", "--config", scene.config, "1", "1")
    service.wait("selling=MPK 1 2")
    refused = run("keys", "erase", "--config", scene.config, "MPK", "1", "1", "--reason", "worn", status=65)
    shown(expect(refused, "is needed by"), "is needed by", "record")
    card = scene.insert("card-1")
    scene.customer(service).wait("the card is free again")
    scene.take_out(card, service)

    step("Now version 1 is erased, and its card is refused with words")
    # Not within the first seconds after it was retired.
    time.sleep(3)
    run("keys", "erase", "--config", scene.config, "MPK", "1", "1", "--reason", "worn")
    service.wait("selling=MPK 1 2")
    card = scene.insert("card-1")
    scene.customer(service).wait("index 1, version 1")
    scene.take_out(card, service)

    step("A card is pulled while fuel flows, and its holder goes to the issuer's counter with what the pump recorded")
    card = scene.insert("card-2")
    scene.customer(service).wait("fuelling")
    card.stop(signal.SIGKILL)
    service.wait("is not paid")
    scene.write("grey.txt", run_quietly("records", "export", "--config", scene.config))
    scene.counter("new", "--counter", COUNTER, pin=False)
    service.stop()
    for loses_answer in (False, True):
        card = scene.insert("card-2", through_shim=True, waits=True)
        scene.shim.lose(DEBIT_FOR_UNLOCK, loses_answer)
        said = scene.counter("unlock", "--records", scene.path("grey.txt"), status=75)
        shown(said, "again")
        scene.take_out(card)
    card = scene.insert("card-2", waits=True)
    said = scene.counter("unlock", "--records", scene.path("grey.txt"), pin=False)
    shown(expect(said, "whose answer was lost: none was made now"), "released", "paid", "lost")
    scene.take_out(card)

    step("Another is pulled, and released for nothing, on the word of the clerk")
    service = Program("run", "--config", scene.config)
    service.wait("insert your card")
    card = scene.insert("card-2")
    scene.customer(service).wait("fuelling")
    card.stop(signal.SIGKILL)
    service.wait("is not paid")
    service.stop()
    card = scene.insert("card-2", waits=True)
    forced = ("--force-zero", "--reason", "the pump burnt", "--name", "Ana Souza")
    shown(scene.counter("unlock", *forced), "released", "yuan")
    scene.take_out(card)
    shown(scene.counter("list", pin=False), "unlock", "pump")

    step("What the custodians did stands in the audit log")
    shown(run("audit", "verify", "--config", scene.config), "entries", "codes", "store", "journal")

    step("The issuer judges the terminal's audit log and each row of its journal, without the terminal")
    shown(expect(scene.issuer("audit", "verify", scene.path("keys-audit")), "codes under RECORD 1 1"), "codes")
    judged = scene.issuer("records", "--journal", scene.path("journal.sqlite"), "--terminal", TERMINAL)
    shown(expect(judged, "judged with RECORD 1 1"), "records:", "judged")


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
