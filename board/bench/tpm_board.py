#!/usr/bin/python3
"""A storage key sealed to the board's TPM, for board/tpm.

    tpm_board.py armed | again | changed | updated FOLDER

Runs on the virtual board (board/systemd-vm --tpm) as root, once each start, in this order. FOLDER has what an issuer brings
(issuer_desk.py), the programs and the compiled flow.c and levels.c in tools, and the safe, which is on no disk of the board.
Prints a row for each step; the status is 0 when each is as it must be.
"""

import fcntl
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from pump_chip import Chip
from settings import SCHEME_AID, armed_settings, import_meters, meters
from systemd_unit import UNIT, Log, Wrong, run, show, until
from typist import PASSPHRASE, Sheets, at_terminal

HERE = Path(__file__).resolve().parent.parent
SETTINGS, JOURNAL, STORE = "/etc/greylock.toml", "/var/lib/greylock/journal.sqlite", "/var/lib/greylock/keys"
SEALED, COPY = Path("/etc/greylock/storage-key.cred"), "greylock-storage-key.cred"
# An update of the firmware or of Secure Boot measures something else into PCR 7, at each start from then on.
FIRMWARE = Path("/etc/firmware")
FIRMWARE_UNIT = """[Unit]
Before=greylockd.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'test ! -e /etc/firmware || tpm2_pcrextend 7:sha256=$(sha256sum </etc/firmware | cut -c1-64)'
[Install]
WantedBy=multi-user.target
"""
# systemd and the stop action on an emulated board, as in unit_board.py.
ACTION_SECONDS = 9.0


class Board:
    def __init__(self, folder):
        self.folder, self.tools, self.safe = folder, folder / "tools", folder / "safe"
        self.chip = self.card = None
        self.log = Log()

    def row(self, step, seen):
        print(f"{step:44} {seen}", flush=True)

    # What a technician does.

    def install(self):
        for name in ("greylock", "greylockd"):
            shutil.copy(self.tools / name, "/usr/bin")
        shutil.copy(HERE / "storage-key", "/usr/sbin/greylock-storage-key")
        run("groupadd", "--system", "gpio")
        run("useradd", "--system", "--user-group", "greylock")
        units = Path("/etc/systemd/system")
        shutil.copy(HERE / "greylockd.service", units)
        (units / f"{UNIT}.d").mkdir()
        shutil.copy(HERE / "greylockd-storage-key.conf", units / f"{UNIT}.d/storage-key.conf")
        (units / "firmware.service").write_text(FIRMWARE_UNIT)
        shutil.copy(HERE.parent / "udev/60-greylock-gpio.rules", "/etc/udev/rules.d")
        shutil.copy(HERE / "greylock-pcscd.rules", "/etc/polkit-1/rules.d")
        Path(SETTINGS).write_text(armed_settings(JOURNAL, first_flow_seconds=60, preset_centilitres=9000), encoding="utf-8")
        run("udevadm", "control", "--reload")
        run("systemctl", "daemon-reload")
        said = run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{UNIT}", check=False)
        if "greylock" in said:
            raise Wrong(f"systemd-analyze verify: {said}")
        run("systemctl", "enable", "firmware.service", UNIT)

    def storage_key(self, *arguments, status=0, says=""):
        result = subprocess.run(
            ["greylock-storage-key", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        print(f"greylock-storage-key {arguments}: {result.returncode} {result.stdout}", file=sys.stderr)
        if result.returncode != status or says not in result.stdout:
            raise Wrong(f"greylock-storage-key {' '.join(map(str, arguments))}: {result.returncode}, {result.stdout}")
        return result.stdout.strip()

    def tool(self, *arguments, **expected):
        return self.storage_key("run", "greylock", *arguments, **expected)

    def arm(self, number):
        """Two custodians at a terminal, then the issuer's blocks."""
        sheets = Sheets(**json.loads((self.folder / f"sheets-{number}.json").read_text()))
        status, said = at_terminal(
            ["greylock-storage-key", "run", "greylock", "keys", "load", "--config", SETTINGS], sheets.answers()
        )
        print(said, file=sys.stderr)
        if status != 0 or "loaded: TRANSPORT" not in said:
            raise Wrong(f"keys load: {status}, {said}")
        blocks = Path("/run/blocks")
        shutil.copy(self.folder / f"blocks-{number}", blocks)
        blocks.chmod(0o644)
        self.tool("keys", "load", "--config", SETTINGS, blocks, says="loaded: RECORD")
        if number == 1:
            parameters = self.folder / "meters.toml"
            parameters.write_text(meters(), encoding="utf-8")
            self.tool(*import_meters(str(parameters), SETTINGS), says="is under seal")
        self.tool("keys", "activate", "--config", SETTINGS, "1", "1", says="sells from")

    # What a customer does.

    def insert(self):
        command = ["greylock", "card", "serve", "--state", str(self.folder / "card"), "--keys", str(self.folder / "issuer.keys")]
        command += ["--aid", SCHEME_AID.replace(" ", "")]
        processes = queue.Queue()
        served = threading.Thread(
            target=lambda: at_terminal(command, [(r"passphrase.*: $", PASSPHRASE + "\r")], 3600, processes.put)
        )
        served.start()
        self.card = processes.get(), served

    def pull(self):
        if self.card:
            process, served = self.card
            process.terminate()
            served.join()
        self.card = None

    def type_pin(self):
        self.log.wait("type your PIN")
        with open("/dev/tty1", "wb", buffering=0) as console:
            for key in b"123456\r":
                fcntl.ioctl(console, termios.TIOCSTI, bytes([key]))

    def start_sale(self):
        self.log.clear()
        self.insert()
        self.type_pin()
        self.log.wait("lift the nozzle")
        self.chip.start_flow()
        self.log.wait("1.")
        until("fuel flows", lambda: self.chip.is_open)

    def sale(self):
        self.start_sale()
        litres = self.chip.end_flow()
        self.log.wait("paid")
        self.pull()
        return f"{litres:.2f} L sold"

    def records(self):
        """What each came to, and what became of it."""
        report = json.loads(self.tool("records", "--json", "--last", "1000", "--config", SETTINGS))
        return [(sale["ttc"], sale["phase"], sale["amountFen"]) for sale in report["sales"] if sale["kind"] != "local-unlock"] + [
            (grey["ttc"], grey["state"], grey["amountFen"]) for grey in report["greyRecords"]
        ]

    def serves(self):
        until("it serves", lambda: "insert your card" in show("StatusText"))

    def refused(self):
        """The unit that cannot have its credential, start after start."""
        until("243", lambda: show("ExecMainStatus") == "243" and int(show("NRestarts")) >= 2)
        why = "the storage key does not open, so no card is served"
        until("the log says why", lambda: why in run("journalctl", "--boot", "--unit", UNIT, "--output", "cat"))
        until("the console says it", lambda: b"Out of order" in Path("/dev/vcs1").read_bytes())
        if self.chip and self.chip.is_open:
            raise Wrong("outputs are on")
        return f"status 243, restarts {show('NRestarts')}; named on the console and in the log; outputs off"

    def plain_copies(self, key):
        """Files of the board that have it, in clear; the credential's own place is in memory."""
        places = [Path("/etc"), Path("/var"), Path("/root"), Path("/tmp"), Path("/dev/shm"), Path("/run")]
        files = (file for place in places for file in place.rglob("*") if file.is_file() and not file.is_symlink())
        return [str(file) for file in files if file.stat().st_size < 1 << 26 and key in file.read_bytes()]

    # The starts.

    def armed(self):
        self.install()
        before = self.storage_key("new", "/root/copy", status=73, says="this board's own disk")
        self.storage_key("restore", self.safe / "nothing", status=65, says="there is no file")
        self.storage_key("nonsense", status=64)
        self.row("copy on the board's own disk", f"refused: {before[:60]}...")
        self.storage_key("new", self.safe / COPY)
        self.storage_key("new", self.safe / "other", status=73, says="is there already")
        self.chip = Chip(self.tools)
        run("systemctl", "start", UNIT)
        self.log.wait("this terminal has no keys")
        self.row("storage key sealed, no keys yet", "the unit runs, and says how to arm it")
        begun = time.monotonic()
        self.arm(1)
        self.serves()
        self.row("armed", f"two custodians and the issuer's blocks, {time.monotonic() - begun:.0f} s; serves without a new start")
        self.row("sale", self.sale())
        key = subprocess.run(
            ["systemd-creds", "decrypt", "--name=greylock-storage-key", SEALED, "-"], check=True, stdout=subprocess.PIPE
        ).stdout
        found = self.plain_copies(key)
        if any(not name.startswith("/run/credentials/") for name in found) or not found:
            raise Wrong(f"the storage key lies in clear in {found}")
        self.row("files that have the storage key in clear", f"{' '.join(found)}, in memory; no other")

    def again(self):
        until("it came back alone", lambda: show("ActiveState") == "active")
        self.chip = Chip(self.tools)
        self.serves()
        self.tool("keys", "list", "--config", SETTINGS, says="sells since")
        self.row("started again", "came back alone, serves")
        self.start_sale()
        run("tpm2_pcrextend", "7:sha256=" + "5a" * 32)
        begun = time.monotonic()
        os.kill(int(show("MainPID")), signal.SIGKILL)
        closed = self.chip.seconds_to_closed(begun)
        self.chip.end_flow()
        self.pull()
        if closed > ACTION_SECONDS:
            raise Wrong(f"outputs were on for {closed:.2f} s")
        self.row("PCR 7 extended and killed in mid-sale", f"outputs off after {closed:.2f} s; {self.refused()}")
        FIRMWARE.write_text("1")

    def changed(self):
        self.chip = Chip(self.tools)
        self.row("started with another PCR 7", self.refused())
        sealed = SEALED.read_bytes()
        for asked in ("loosen", "tighten"):
            self.storage_key(asked, status=65, says="nothing was changed")
        self.storage_key("copy", self.safe / "other", status=65, says="nothing was changed")
        if SEALED.read_bytes() != sealed:
            raise Wrong("the sealed file was changed")
        self.tool("keys", "list", "--config", SETTINGS, status=243, says="does not open here, and greylock was not started")
        self.storage_key("restore", self.safe / COPY)
        begun = time.monotonic()
        self.serves()
        self.row("recovered from the copy", f"serves {time.monotonic() - begun:.1f} s later, without a start")
        self.log.clear()
        self.insert()
        self.type_pin()
        self.log.wait("settles-ttc=")
        until("the sale is paid", lambda: all(state != "open" for _, state, _ in self.records()))
        self.pull()
        self.row("the sale that was broken off", f"settled: {self.records()[-1][2] / 100:.2f} yuan")
        self.storage_key("loosen")
        FIRMWARE.write_text("2")

    def updated(self):
        until("it came back alone", lambda: show("ActiveState") == "active")
        self.chip = Chip(self.tools)
        self.serves()
        self.row("firmware updated after loosen", "came back alone, serves")
        self.storage_key("tighten")
        run("systemctl", "restart", UNIT)
        self.serves()
        run("tpm2_pcrextend", "7:sha256=" + "5a" * 32)
        run("systemctl", "restart", UNIT, check=False)
        self.row("tightened, then PCR 7 extended", self.refused())
        before = self.recover_without_copy()
        after = self.records()
        if after != before:
            raise Wrong(f"records are {after}, and were {before}")
        self.row("recovered without a copy", f"one ceremony; the {len(after)} records are there, as they were")
        self.row("sale", self.sale())

    def recover_without_copy(self):
        shutil.copy(SEALED, "/root/lost")
        self.storage_key("restore", self.safe / COPY)
        before = self.records()
        # As if that had not been there.
        run("systemctl", "stop", UNIT)
        shutil.copy("/root/lost", SEALED)
        self.storage_key("new", self.safe / "second", status=73, says="is there already")
        os.rename(SEALED, f"{SEALED}.lost")
        os.rename(STORE, f"{STORE}.lost")
        self.storage_key("new", self.safe / "second")
        run("systemctl", "start", UNIT)
        self.arm(2)
        self.serves()
        return before


def main():
    board = Board(Path(sys.argv[2]))
    try:
        getattr(board, sys.argv[1])()
    except Wrong as what:
        board.row(sys.argv[1], f"WRONG: {what}")
        print(run("journalctl", "--boot", "--no-pager", "--lines", "80", check=False), file=sys.stderr)
        return 1
    finally:
        if board.chip and board.chip.flow and board.chip.flow.poll() is None:
            board.chip.end_flow()
        board.pull()
        run("systemctl", "stop", UNIT, check=False)
    return 0


sys.exit(main())
