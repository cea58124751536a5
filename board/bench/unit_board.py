#!/usr/bin/python3
"""What becomes of the unit on a board with a real systemd, for board/unit-test.

    unit_board.py PROGRAMS TOOLS

Runs on the virtual board (board/systemd-vm) as root. PROGRAMS has greylock and greylockd, TOOLS the compiled flow.c and
levels.c. The unit, the rules and the example's keys are the project's own. The pump is a chip of gpio-sim that keeps the
last level of a released line, as some real ones do; its levels are looked at from outside the service, a thousand times a
second. Prints a row for each cause; the status is 0 when each is as it must be.
"""

import grp
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from pump_chip import Chip
from settings import card_profile, import_meters, meters, service_settings
from systemd_unit import UNIT, Log, Wrong, run, show, until

SETTINGS = Path("/etc/greylock.toml")
JOURNAL = "/var/lib/greylock/journal.sqlite"
CARD = "/root/card"
# WatchdogSec=, and what systemd and the stop action may take on an emulated board: less than TimeoutStopSec=. On a real one
# it is some tenths of a second.
WATCHDOG_SECONDS, ACTION_SECONDS = 2.0, 9.0

CONFIGURATION = service_settings(JOURNAL, first_flow_seconds=60, preset_centilitres=9000)
PROFILE = card_profile(balance_fen=1000000)


class Board:
    def __init__(self, programs, tools):
        self.programs, self.tools = programs, tools
        self.chip = None
        self.card = None
        self.rows = []
        here = Path(__file__).resolve().parent.parent
        for name in ("greylock", "greylockd"):
            Path("/usr/bin", name).symlink_to(programs / name)
        run("groupadd", "--system", "gpio")
        run("useradd", "--system", "--user-group", "greylock")
        shutil.copy(here / "greylockd.service", "/etc/systemd/system")
        shutil.copy(here.parent / "udev/60-greylock-gpio.rules", "/etc/udev/rules.d")
        SETTINGS.write_text(CONFIGURATION, encoding="utf-8")
        parameters = Path("/root/meters.toml")
        parameters.write_text(meters(), encoding="utf-8")
        run("install", "-d", "-o", "greylock", "-g", "greylock", str(Path(JOURNAL).parent))
        run("greylock", *import_meters(str(parameters), str(SETTINGS)))
        profile = Path("/root/card.toml")
        profile.write_text(PROFILE, encoding="utf-8")
        run("greylock", "card", "new", "--profile", str(profile), "--state", CARD)
        # Programs that were built for coverage write it where they run.
        os.environ["LLVM_PROFILE_FILE"] = "/dev/null"
        drop_in = Path("/run/systemd/system", UNIT + ".d", "coverage.conf")
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text("[Service]\nEnvironment=LLVM_PROFILE_FILE=/dev/null\n", encoding="utf-8")
        run("udevadm", "control", "--reload")
        run("systemctl", "daemon-reload")
        self.log = Log()

    def row(self, cause, seen):
        self.rows.append((cause, seen))
        print(f"{cause:34} {seen}", flush=True)

    # What the tests do to the unit.

    def process(self):
        return int(show("MainPID"))

    def kill(self, number):
        os.kill(self.process(), number)

    def insert(self):
        self.card = subprocess.Popen(["greylock", "card", "serve", "--state", CARD], stderr=subprocess.DEVNULL)

    def pull(self):
        self.card.terminate()
        self.card.wait()

    def start_sale(self, litres):
        """Until so much has flowed and was shown."""
        self.log.clear()
        self.insert()
        self.log.wait("lift the nozzle")
        self.chip.start_flow()
        self.log.wait(f"{litres}.")
        until("fuel flows", lambda: self.chip.is_open)

    def records(self):
        command = ["greylock", "records", "--json", "--last", "1000", "--journal", JOURNAL]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)

    def settled(self, what):
        """The sale that was broken off is paid at the start after it, by the card that is still there.

        Returns what it came to, in litres."""
        self.log.wait("settles-ttc=")
        self.pull()
        report = self.records()
        if any(grey["state"] == "open" for grey in report["greyRecords"]):
            raise Wrong(f"{what}: a sale is unpaid")
        return [sale for sale in report["sales"] if sale["kind"] != "local-unlock"][-1]["volumeMicrolitres"] / 1e6

    def restarted(self, before):
        """The process after this one, in seconds."""
        begun = time.monotonic()
        until("a new start", lambda: self.process() not in (0, before) and show("ActiveState") == "active")
        return time.monotonic() - begun

    # The causes.

    def verify(self):
        said = run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{UNIT}", check=False)
        ours = [line for line in said.splitlines() if "greylock" in line]
        if ours:
            raise Wrong("systemd-analyze verify: " + "; ".join(ours))
        self.row("systemd-analyze verify", "nothing to say")

    def late_chip(self):
        begun = time.monotonic()
        run("systemctl", "start", UNIT)
        self.log.wait("the pump's lines are waited for")
        status = until("its words", lambda: "waited for" in show("StatusText") and show("StatusText"))
        # Longer than five starts took.
        time.sleep(8)
        if show("ActiveState") != "active" or show("NRestarts") != "0":
            raise Wrong(f"without a chip the unit is {show('ActiveState')} after {show('NRestarts')} restarts")
        self.chip = Chip(self.tools)
        came = time.monotonic()
        self.log.wait("ready")
        self.row(
            "GPIO chip that comes late",
            f"waited {came - begun:.1f} s for it without an end (\"{status[:60]}...\"), ready {time.monotonic() - came:.1f} s after",
        )

    def stop_while_waiting(self):
        run("systemctl", "start", UNIT)
        self.log.wait("the pump's lines are waited for")
        begun = time.monotonic()
        run("systemctl", "stop", UNIT)
        seconds = time.monotonic() - begun
        if show("Result") != "success":
            raise Wrong(f"stopped while it waits for its chip, the unit is {show('Result')}")
        self.row("stop while it waits for its chip", f"in {seconds:.1f} s")

    def polkit(self):
        self.log.wait("install greylock-pcscd.rules")
        rules = Path(__file__).resolve().parent.parent / "greylock-pcscd.rules"
        shutil.copy(rules, "/etc/polkit-1/rules.d")
        self.log.wait("insert your card")
        self.row("polkit rule missing, then there", "named; served without a new start")

    def killed(self):
        self.start_sale(1)
        before = self.process()
        begun = time.monotonic()
        self.kill(signal.SIGKILL)
        closed = self.chip.seconds_to_closed(begun)
        flowed = self.chip.end_flow()
        back = self.restarted(before)
        paid = self.settled("killed")
        if closed > ACTION_SECONDS:
            raise Wrong(f"killed, and the outputs were on for {closed:.2f} s")
        self.row(
            "killed in mid-sale",
            f"outputs off after {closed:.2f} s, back after {back:.1f} s; {flowed:.2f} L flowed, {paid:.2f} L settled",
        )

    def frozen(self):
        self.start_sale(1)
        before = self.process()
        begun = time.monotonic()
        self.kill(signal.SIGSTOP)
        closed = self.chip.seconds_to_closed(begun)
        flowed = self.chip.end_flow()
        back = self.restarted(before)
        paid = self.settled("frozen")
        if closed > WATCHDOG_SECONDS + ACTION_SECONDS:
            raise Wrong(f"frozen, and the outputs were on for {closed:.2f} s")
        self.row(
            "frozen (SIGSTOP) in mid-sale",
            f"outputs off after {closed:.2f} s, back after {back:.1f} s; {flowed:.2f} L flowed, {paid:.2f} L settled",
        )

    def slip(self):
        self.start_sale(1)
        SETTINGS.write_text(CONFIGURATION.replace("main_valve = 5", "main_valve = five"), encoding="utf-8")
        begun = time.monotonic()
        self.kill(signal.SIGKILL)
        closed = self.chip.seconds_to_closed(begun)
        self.log.wait("greylock.toml:")
        until("the refusal", lambda: show("ActiveState") == "failed" and show("ExecMainStatus") == "78")
        self.chip.end_flow()
        if closed > ACTION_SECONDS or self.chip.is_open:
            raise Wrong(f"the outputs were on for {closed:.2f} s")
        SETTINGS.write_text(CONFIGURATION, encoding="utf-8")
        run("systemctl", "start", UNIT)
        self.settled("slip")
        self.row("slip in the settings, then killed", f"outputs off after {closed:.2f} s, restart refused with 78, settled when mended")

    def interrupts(self):
        begun = time.monotonic()
        for _ in range(6):
            before = self.process()
            os.kill(before, signal.SIGINT)
            # A service that takes no SIGINT goes on.
            deadline = time.monotonic() + 3
            while self.process() == before and time.monotonic() < deadline:
                time.sleep(0.05)
            until("a start", lambda: show("ActiveState") == "active" and self.process())
        until("serving", lambda: "insert your card" in show("StatusText"))
        self.row("six SIGINTs", f"within {time.monotonic() - begun:.1f} s; serves, after {show('NRestarts')} restarts in all")

    def log_reader(self):
        self.start_sale(1)
        journald = "systemd-journald.service"
        pid = int(run("systemctl", "show", "--value", "--property", "MainPID", journald))
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1)
        shown = self.chip.is_open
        begun = time.monotonic()
        self.chip.end_flow()
        closed = self.chip.seconds_to_closed(begun)
        until("the sale is paid", lambda: self.last_phase() == "settled")
        os.kill(pid, signal.SIGCONT)
        self.log.wait("paid")
        self.pull()
        if not shown:
            raise Wrong("the outputs went off with the reader of the log")
        self.row("reader of the log stands still", f"the sale goes on, outputs off {closed:.2f} s after the nozzle, paid")

    def log_reader_gone(self):
        self.start_sale(1)
        run("systemctl", "stop", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald.service", check=False)
        begun = time.monotonic()
        self.chip.end_flow()
        closed = self.chip.seconds_to_closed(begun)
        until("the sale is paid", lambda: self.last_phase() == "settled")
        self.pull()
        state = show("ActiveState")
        run("systemctl", "start", "systemd-journald.socket", "systemd-journald.service", check=False)
        if state != "active":
            raise Wrong(f"without a journal the unit is {state}")
        self.log.follow()
        self.row("journald stopped in mid-sale", f"the sale goes on, outputs off {closed:.2f} s after the nozzle, paid")

    def last_phase(self):
        return self.records()["sales"][-1]["phase"]

    def card_service(self):
        self.log.clear()
        run("systemctl", "stop", "pcscd.socket", "pcscd.service")
        self.log.wait("start pcscd")
        run("systemctl", "start", "pcscd.socket")
        self.log.wait("insert your card")
        self.row("pcscd stopped and started", "named; served again without a new start")

    def keypad(self):
        link = "/dev/input/by-path/board-event-kbd"
        here = Path(__file__).resolve().parent
        run("modprobe", "-a", "uinput", "evdev")
        # What udev does of itself for a keypad that has a place on a bus.
        rules = Path("/etc/udev/rules.d")
        (rules / "61-place.rules").write_text(
            f'SUBSYSTEM=="input", KERNEL=="event*", ATTRS{{name}}=="Board Keypad", SYMLINK+="{link[5:]}"\n', encoding="utf-8"
        )
        rule = (here.parent.parent / "udev/62-greylock-keypad.rules").read_text(encoding="utf-8")
        run("udevadm", "verify", str(here.parent.parent / "udev/62-greylock-keypad.rules"))
        run("udevadm", "control", "--reload")
        pad = subprocess.Popen(
            ["python3", "-B", str(here / "keypad.py"), link, "Board Keypad"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )

        def tell(command):
            pad.stdin.write(command + "\n")
            pad.stdin.flush()
            if pad.stdout.readline() != "done\n":
                raise Wrong(f"keypad.py: {command}")

        tell("plug")
        run("systemctl", "stop", UNIT)
        SETTINGS.write_text(
            CONFIGURATION.replace('kind = "fixed"', f'kind = "keypad", device = "{link}"'), encoding="utf-8"
        )
        self.log.clear()
        run("systemctl", "start", UNIT)
        self.log.wait("udev/62-greylock-keypad.rules")
        (rules / "62-greylock-keypad.rules").write_text(
            re.sub(r"input/by-path/[^\"]*", link[5:], rule), encoding="utf-8"
        )
        run("udevadm", "control", "--reload")
        run("udevadm", "trigger", "--settle", "--subsystem-match=input")
        self.log.wait("name=Board Keypad")
        greylock = grp.getgrnam("greylock").gr_gid
        ours = [str(path) for path in Path("/dev/input").glob("event*") if path.stat().st_gid == greylock]
        if ours != [os.path.realpath(link)]:
            raise Wrong(f"the service's user has {ours}")
        self.log.wait("insert your card")
        self.insert()
        self.log.wait("type your PIN")
        tell("type 12")
        tell("unplug")
        self.log.wait("was unplugged")
        self.pull()
        tell("plug")
        self.log.wait("name=Board Keypad")
        self.insert()
        self.log.wait("type your PIN")
        tell("type 123456n")
        self.log.wait("lift the nozzle")
        self.chip.start_flow()
        self.log.wait("1.")
        self.chip.end_flow()
        self.log.wait("paid")
        self.pull()
        if pad.poll() is not None:
            raise Wrong("keypad.py ended")
        self.row("keypad", "named without its rule; with it held, unplugged and taken again, a sale; no other device is readable")

    def stop(self):
        begun = time.monotonic()
        run("systemctl", "stop", UNIT)
        seconds = time.monotonic() - begun
        if show("Result") != "success" or self.chip.is_open:
            raise Wrong(f"stopped: {show('Result')}")
        self.row("stop while idle", f"in {seconds:.1f} s, outputs off")


def main():
    programs, tools = Path(sys.argv[1]), Path(sys.argv[2])
    board = Board(programs, tools)
    wrong = 0
    causes = [
        board.verify, board.stop_while_waiting, board.late_chip, board.polkit, board.killed, board.frozen, board.slip,
        board.interrupts, board.card_service, board.log_reader, board.log_reader_gone, board.keypad, board.stop,
    ]
    for cause in causes:
        try:
            cause()
        except Wrong as what:
            wrong += 1
            if board.chip and board.chip.flow and board.chip.flow.poll() is None:
                board.chip.end_flow()
            board.row(cause.__name__, f"WRONG: {what}")
            print(run("systemctl", "status", "--no-pager", "--full", UNIT, check=False), file=sys.stderr)
            if board.chip is None:
                break
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
