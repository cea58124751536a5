#!/usr/bin/python3
"""What greylock doctor finds on a board with a real systemd, for board/doctor-test.

    doctor_board.py PROGRAMS TOOLS

Runs on the virtual board (board/systemd-vm) as root. PROGRAMS has greylock and greylockd, TOOLS the compiled flow.c and levels.c.
Each fault is made, must be found by its code, is mended as the finding says, where that is a command by that command itself, and must
be gone. Prints a row for each; the status is 0 when each is as it must be.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pump_chip import Chip
from settings import armed_settings, card_profile, import_meters, meters, service_settings
from systemd_unit import UNIT, Log, Wrong, run, show, until

HERE = Path(__file__).resolve().parent.parent
SETTINGS, STATE, CARD = Path("/etc/greylock.toml"), Path("/var/lib/greylock"), "/root/card"
INTERFACE = '[interface]\nread = "/run/greylock/read.sock"\n'
CONFIGURATION = service_settings(f"{STATE}/journal.sqlite", first_flow_seconds=60, preset_centilitres=9000) + INTERFACE
DROP_IN = Path("/etc/systemd/system", UNIT + ".d", "doctor.conf")


def doctor():
    """The findings by their codes."""
    done = subprocess.run(["greylock", "doctor", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    if not done.stdout:
        raise Wrong(f"doctor said nothing: {done.stderr}")
    report = json.loads(done.stdout)
    expected = {"well": 0, "warnings": 1, "faults": 2}[report["verdict"]]
    if done.returncode != expected:
        raise Wrong(f"doctor ended with {done.returncode}, and its verdict is {report['verdict']}")
    return {finding["code"]: finding for finding in report["findings"]}


def shell(command):
    run("/bin/bash", "-e", "-c", command)


def restart():
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)


class Board:
    def __init__(self, programs, tools):
        self.programs, self.tools = programs, tools
        self.chip = None
        self.card = None
        self.wrong = self.found = 0
        # Programs that were built for coverage write it where they run.
        os.environ["LLVM_PROFILE_FILE"] = "/dev/null"
        for name in ("greylock", "greylockd"):
            Path("/usr/bin", name).symlink_to(programs / name)
        SETTINGS.write_text(CONFIGURATION, encoding="utf-8")
        self.log = Log()

    def case(self, codes, fault, mend=None, saw=""):
        """One code, or several of one fault. Without `mend` the finding's advice is a command, and is run."""
        codes = codes.split()
        try:
            fault()
            report = doctor()
            missed = [code for code in codes if code not in report]
            if missed:
                raise Wrong(f"{' '.join(missed)} not found")
            finding = report[codes[0]]
            if saw not in finding["saw"]:
                raise Wrong(f"seen was {finding['saw']}")
            if mend:
                mend()
            else:
                shell(finding["mend"])
            after = doctor()
            left = [after[code]["saw"] for code in codes if code in after]
            if left:
                raise Wrong(f"mended with {finding['mend']}, and still found: {'; '.join(left)}")
            self.found += len(codes)
            for code in codes:
                print(f"{code:26} {report[code]['saw'][:90]}", flush=True)
        except (Wrong, OSError, subprocess.CalledProcessError) as what:
            self.wrong += 1
            print(f"{codes[0]:26} WRONG: {what} {getattr(what, 'output', '') or ''}", flush=True)

    # From a bare board to one that serves, each step named by doctor.

    def build(self):
        nothing = lambda: None
        self.chip = Chip(self.tools)

        def install_unit():
            shutil.copy(HERE / "greylockd.service", "/etc/systemd/system")
            run("systemctl", "daemon-reload")

        self.case("unit-missing", nothing, install_unit)
        drop_in = Path("/run/systemd/system", UNIT + ".d")
        drop_in.mkdir(parents=True)
        (drop_in / "coverage.conf").write_text("[Service]\nEnvironment=LLVM_PROFILE_FILE=/dev/null\n", encoding="utf-8")
        run("systemctl", "daemon-reload")

        def add_user():
            run("groupadd", "--system", "gpio")
            run("useradd", "--system", "--user-group", "greylock")

        self.case("user-missing", nothing, add_user, saw="no user greylock")
        self.case("folder-missing", nothing, saw=f"{STATE}/")
        self.case(
            "parameters-missing",
            lambda: Path("/tmp/meters.toml").write_text(meters(), encoding="utf-8"),
            lambda: run("greylock", *import_meters("/tmp/meters.toml", str(SETTINGS))),
        )
        self.case("file-forbidden", lambda: os.chown(STATE / "parameters", 0, 0), saw="root:root")

        def install_rule():
            shutil.copy(HERE.parent / "udev/60-greylock-gpio.rules", "/etc/udev/rules.d")
            run("udevadm", "control", "--reload")
            run("udevadm", "trigger", "--settle", "--subsystem-match=gpio")

        self.case("chip-forbidden", nothing, install_rule, saw="greylock may not read and write /dev/gpiochip")
        self.case(
            "polkit-rule-missing",
            nothing,
            lambda: shutil.copy(HERE / "greylock-pcscd.rules", "/etc/polkit-1/rules.d"),
        )
        # systemd has the watchdog's figure from the first start on; the file has it before.
        if "watchdog-off" in doctor():
            self.wrong += 1
            print("watchdog-off               WRONG: found of a unit that was never started", flush=True)
        self.case("service-stopped", nothing, lambda: run("systemctl", "start", UNIT))
        self.log.wait("insert your card")
        self.case("unit-disabled", nothing)
        # board/doctor-test kept its driver away.
        self.case("hardware-watchdog-missing", nothing, lambda: run("modprobe", "iTCO_wdt"), saw="no /dev/watchdog")

        def feed():
            folder = Path("/etc/systemd/system.conf.d")
            folder.mkdir(parents=True)
            (folder / "watchdog.conf").write_text("[Manager]\nRuntimeWatchdogSec=60\n", encoding="utf-8")
            run("systemctl", "daemon-reexec")

        self.case("hardware-watchdog-off", nothing, feed)

    # A sale, and doctor beside it.

    def sale(self):
        Path("/root/card.toml").write_text(card_profile(balance_fen=1000000), encoding="utf-8")
        run("greylock", "card", "new", "--profile", "/root/card.toml", "--state", CARD)
        self.log.clear()
        self.card = subprocess.Popen(["greylock", "card", "serve", "--state", CARD], stderr=subprocess.DEVNULL)
        self.log.wait("lift the nozzle")
        self.chip.start_flow()
        self.log.wait("1.")
        until("fuel flows", lambda: self.chip.is_open)
        process = show("MainPID")
        seen = set()
        for _ in range(3):
            seen |= set(doctor())
        if not self.chip.is_open or show("MainPID") != process:
            raise Wrong("doctor disturbed the sale")
        flowed = self.chip.end_flow()
        self.log.wait("paid")
        command = ["greylock", "records", "--json", "--journal", f"{STATE}/journal.sqlite"]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)
        paid = report["sales"][-1]["volumeMicrolitres"] / 1e6
        self.card.terminate()
        self.card.wait()
        expected = {"demonstration"}
        if seen - expected or abs(paid - flowed) > 0.02:
            raise Wrong(f"beside a sale doctor found {sorted(seen)}; {flowed:.2f} L flowed, {paid:.2f} L are paid")
        print(f"{'beside a sale':26} {sorted(seen)} alone, three times; {flowed:.2f} L flowed, {paid:.2f} L paid", flush=True)

    # A board that serves, and what befalls it.

    def drop_in(self, text):
        DROP_IN.parent.mkdir(exist_ok=True)
        DROP_IN.write_text(f"[Service]\n{text}\n", encoding="utf-8")
        restart()
        self.log.wait("insert your card")

    def without_drop_in(self):
        DROP_IN.unlink()
        restart()
        self.log.wait("insert your card")

    def configure(self, text):
        SETTINGS.write_text(text, encoding="utf-8")

    def befall(self):
        self.case(
            "real-time-forbidden pump-not-real-time memory-lock-forbidden watchdog-off",
            lambda: self.drop_in("LimitRTPRIO=0\nLimitMEMLOCK=64K\nWatchdogSec=0"),
            self.without_drop_in,
        )
        self.case("unit-changed", lambda: Path("/etc/systemd/system", UNIT).touch())
        self.case("pcscd-stopped", lambda: run("systemctl", "stop", "pcscd.socket", "pcscd.service"))

        def slip():
            self.configure(CONFIGURATION.replace("main_valve = 5", "main_valve = five"))
            run("systemctl", "restart", UNIT, check=False)
            until("the refusal", lambda: show("ActiveState") == "failed")

        def mend_slip():
            self.configure(CONFIGURATION)
            run("systemctl", "restart", UNIT)
            self.log.wait("insert your card")

        self.case("service-failed", slip, mend_slip, saw="status 78")
        group = CONFIGURATION + 'read_group = "forecourt"\n'
        self.case("socket-group-missing", lambda: self.configure(group))
        self.case("socket-group-foreign", lambda: self.configure(group))
        self.configure(CONFIGURATION)

    def clocks(self):
        now = lambda: run("date", "+%F %T").strip()
        before = now()

        def set_clock():
            run("timedatectl", "set-time", before)

        run("systemctl", "stop", UNIT)
        self.case("rtc-off", lambda: run("date", "--set", "+1 hour"), set_clock, saw="behind")
        self.case("clock-unset", lambda: run("date", "--set", "1970-01-05"), set_clock)
        run("systemctl", "start", UNIT)

    # The storage key as a credential: no hand-over, and one that does not open.

    def credentials(self):
        armed = armed_settings(f"{STATE}/journal.sqlite", first_flow_seconds=60, preset_centilitres=9000)
        sealed = Path("/etc/greylock/storage-key.cred")
        sealed.parent.mkdir(exist_ok=True)

        def hand_over():
            DROP_IN.parent.mkdir(exist_ok=True)
            shutil.copy(HERE / "greylockd-storage-key.conf", DROP_IN.parent / "storage-key.conf")
            run("systemctl", "daemon-reload")

        def spoil():
            sealed.write_text("none", encoding="utf-8")
            run("systemctl", "restart", UNIT, check=False)
            until("the refusal", lambda: show("ExecMainStatus") == "243")

        def seal():
            shell(f"head -c 32 /dev/urandom | systemd-creds encrypt --with-key=host --name=greylock-storage-key - {sealed}")
            run("systemctl", "reset-failed", UNIT, check=False)
            run("systemctl", "start", UNIT)

        self.case("credential-missing", lambda: self.configure(armed), hand_over)
        self.case("credential-unopened", spoil, seal, saw="243")
        run("systemctl", "stop", UNIT)
        (DROP_IN.parent / "storage-key.conf").unlink()
        run("systemctl", "daemon-reload")
        self.configure(CONFIGURATION)

    def slow(self):
        """Six writes a second are all that the kernel lets this program have of the disk."""
        group = Path("/sys/fs/cgroup/doctor")

        def throttle():
            Path("/sys/fs/cgroup/cgroup.subtree_control").write_text("+io")
            group.mkdir()
            device = os.stat(STATE).st_dev
            (group / "io.max").write_text(f"{os.major(device)}:{os.minor(device)} wiops=6")
            (group / "cgroup.procs").write_text(str(os.getpid()))

        def free():
            (group / "io.max").write_text(f"{os.major(os.stat(STATE).st_dev)}:{os.minor(os.stat(STATE).st_dev)} wiops=max")

        self.case("disk-slow", throttle, free, saw="half a litre flows in 500 ms")


def main():
    board = Board(Path(sys.argv[1]), Path(sys.argv[2]))
    for part in (board.build, board.sale, board.befall, board.clocks, board.credentials, board.slow):
        begun = time.monotonic()
        try:
            part()
        except Wrong as what:
            board.wrong += 1
            print(f"{part.__name__:26} WRONG: {what}", flush=True)
        print(f"    {part.__name__}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(f"{board.found} faults made, found, mended and gone; {board.wrong} not", flush=True)
    return 1 if board.wrong else 0


sys.exit(main())
