#!/usr/bin/python3
"""The life of the package on a board with a real systemd, for board/package-test.

    package_board.py installed | removed FOLDER

Runs on the virtual board (board/systemd-vm) as root, twice on one disk: `installed` ends by a power cut in mid-sale, `removed` is the
boot after it. FOLDER has this.deb, next.deb and the compiled flow.c and levels.c. Prints a row for each step.
"""

import json
import os
import pwd
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from pump_chip import RASPBERRY_PI, Chip
from settings import card_profile, import_meters, meters
from systemd_unit import UNIT, Log, Wrong, run, show, until

SETTINGS, STATE, CARD = Path("/etc/greylock.toml"), Path("/var/lib/greylock"), "/root/card"
JOURNAL = STATE / "journal.sqlite"
UDEV = Path(__file__).resolve().parents[2] / "udev"
READER_PORT = 35963


class Board:
    def __init__(self, folder):
        self.folder = folder
        self.card = None
        self.chip = None
        self.log = None

    def row(self, step, seen):
        print(f"{step:34} {seen}", flush=True)

    def dpkg(self, *arguments):
        begun = time.monotonic()
        said = run("dpkg", *arguments)
        print(said, file=sys.stderr, flush=True)
        return said, time.monotonic() - begun

    def process(self):
        return int(show("MainPID"))

    def insert(self, card=CARD):
        until("the virtual reader", lambda: f":{READER_PORT:04X} " in Path("/proc/net/tcp").read_text(encoding="utf-8"))
        self.card = subprocess.Popen(["greylock", "card", "serve", "--state", card], stderr=sys.stderr)

    def pull(self):
        self.card.terminate()
        self.card.wait()

    def start_sale(self, litres):
        self.log.clear()
        self.insert()
        self.log.wait("lift the nozzle")
        self.chip.start_flow()
        self.log.wait(f"{litres}.")
        until("fuel flows", lambda: self.chip.is_open)

    def sale(self):
        self.start_sale(1)
        flowed = self.chip.end_flow()
        self.log.wait("paid")
        self.pull()
        return flowed

    def sales(self):
        command = ["greylock", "records", "--json", "--last", "1000", "--journal", str(JOURNAL)]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)
        if any(grey["state"] == "open" for grey in report["greyRecords"]):
            raise Wrong("a sale is unpaid")
        return [sale for sale in report["sales"] if sale["kind"] == "sale"]

    # The first boot.

    def install(self):
        login = "getty@tty1.service"
        run("systemctl", "start", login)
        _, seconds = self.dpkg("--install", str(self.folder / "this.deb"))
        if run("systemctl", "show", "--property=ActiveState", "--value", login).strip() != "active":
            raise Wrong("the installation ended the login at the console")
        user = pwd.getpwnam("greylock")
        if STATE.stat().st_uid != user.pw_uid or STATE.stat().st_mode & 0o777 != 0o700:
            raise Wrong(f"{STATE} is not the service's own")
        if show("ActiveState") != "inactive" or show("UnitFileState") != "disabled":
            raise Wrong(f"without a configuration the unit is {show('ActiveState')}, {show('UnitFileState')}")
        said = run("systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/" + UNIT, check=False)
        ours = [line for line in said.splitlines() if "greylock" in line]
        if ours:
            raise Wrong("systemd-analyze verify: " + "; ".join(ours))
        # The examples are not on the board, which has no documentation.
        rules = [Path("/usr/lib/udev/rules.d/60-greylock-gpio.rules"), *UDEV.glob("*.rules")]
        run("udevadm", "verify", *(str(rule) for rule in rules))
        self.row("installed", f"in {seconds:.0f} s; the login at the console goes on")

    def configure(self):
        board = ["--profile", "raspberry-pi-4", "--demonstration", "--without", "emergency"]
        side = ["--grade", "92", "--price", "785", "--pin", "fixed", "--reader", "Virtual PCD"]
        run("greylock", "setup", "--config", str(SETTINGS), *board, *side)
        # An emulated board takes longer than a customer until fuel flows.
        with SETTINGS.open("a", encoding="utf-8") as settings:
            settings.write("\n[timeouts]\nfirst_flow = 60\n")
        Path("/tmp/meters.toml").write_text(meters(), encoding="utf-8")
        run("runuser", "-u", "greylock", "--", "greylock", *import_meters("/tmp/meters.toml", str(SETTINGS)))
        Path("/root/card.toml").write_text(card_profile(balance_fen=1000000), encoding="utf-8")
        run("greylock", "card", "new", "--profile", "/root/card.toml", "--state", CARD)
        self.chip = Chip(self.folder, RASPBERRY_PI)
        self.log = Log()
        run("systemctl", "enable", "--now", UNIT)
        self.log.wait("insert your card")
        if STATE.stat().st_mode & 0o777 != 0o700:
            raise Wrong(f"the start has opened {STATE}")
        exposure = run("systemd-analyze", "security", "--threshold=12", UNIT).splitlines()[-1]
        flowed = self.sale()
        self.row("set up, started, a sale", f"{flowed:.2f} L paid; {exposure.split(': ', 1)[-1].strip()}")

    def sockets(self):
        """Each socket as a user of its group, of the other's, and of neither."""
        for user, groups in (("asker", "greylock-read"), ("forecourt", "greylock-control"), ("stranger", "")):
            run("useradd", "--system", *(["--groups", groups] if groups else []), user)
        price = ("station", "price", "--position", "1", "--price", "790")
        wanted = {
            "asker": {("health",): 0, ("station", "status"): 0, price: 69, ("drain",): 69},
            "forecourt": {("station", "status"): 69, price: 0, ("drain",): 0, ("undrain",): 0},
            "stranger": {("health",): 69, ("station", "status"): 69, price: 69, ("undrain",): 69},
            "root": {("health",): 0, ("undrain",): 0},
        }
        for user, commands in wanted.items():
            for command, status in commands.items():
                tool = ["runuser", "-u", user, "--", "greylock", *command, "--config", str(SETTINGS)]
                said = subprocess.run(tool, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
                if said.returncode != status:
                    raise Wrong(f"{' '.join(command)} as {user} ends with {said.returncode}, not {status}: {said.stdout}")
        self.log.wait("price by order")
        history = ("greylock", "position", "--history", "--config", str(SETTINGS))
        until("who set the price", lambda: "by order of forecourt" in run(*history))
        self.row("sockets, as four users", "each may what its group says, and who set the price is kept by name")

    def looked_at(self):
        """greylock doctor names the keys of the demonstration, and nothing else that this board lacks."""
        run("modprobe", "iTCO_wdt")
        folder = Path("/run/systemd/system.conf.d")
        folder.mkdir(parents=True)
        (folder / "watchdog.conf").write_text("[Manager]\nRuntimeWatchdogSec=60\n", encoding="utf-8")
        run("systemctl", "daemon-reexec")
        done = subprocess.run(["greylock", "doctor", "--json"], check=False, stdout=subprocess.PIPE, encoding="utf-8")
        found = [finding["code"] for finding in json.loads(done.stdout)["findings"]]
        if done.returncode != 1 or found != ["demonstration"]:
            raise Wrong(f"doctor ends with {done.returncode}: {done.stdout}")
        self.row("greylock doctor", "finds that the keys are the demonstration's, and nothing else")

    def explained(self):
        """A refused sale stands in the journal under its message, and the catalogue of the package says what it means."""
        Path("/root/poor.toml").write_text(card_profile(balance_fen=1), encoding="utf-8")
        run("greylock", "card", "new", "--profile", "/root/poor.toml", "--state", "/root/poor")
        self.log.clear()
        self.insert("/root/poor")
        self.log.wait("[not-enough-money]")
        self.pull()
        message = json.loads(run("greylock", "explain", "not-enough-money", "--json"))["messageID"]
        entry = ["--unit", UNIT, "--no-pager", f"MESSAGE_ID={message}", "GREYLOCK_POSITION=1", "GREYLOCK_CODE=not-enough-money"]
        said = run("journalctl", "--catalog", *entry)
        for words in ("balance", "Subject: greylock: The balance is too small", "Customer: load the card", "Code: not-enough-money"):
            if words not in said:
                raise Wrong(f"journalctl --catalog does not say {words!r}: {said}")
        fields = json.loads(run("journalctl", "--output", "json", *entry).splitlines()[-1])
        if fields["PRIORITY"] != "5" or fields["SYSLOG_IDENTIFIER"] != "greylockd" or fields["_TRANSPORT"] != "journal":
            raise Wrong(f"the entry is {fields}")
        run("greylock", "report", "--into", "/root/report.tar.gz")
        report = run("tar", "--extract", "--gzip", "--to-stdout", "--file", "/root/report.tar.gz")
        if "[not-enough-money]" not in report or "ActiveState=active" not in report:
            raise Wrong(f"the support archive has {report[:2000]}")
        self.row("a refused sale", f"journalctl -x explains it; the support archive has {len(report.splitlines())} lines")

    def upgrade(self):
        self.start_sale(1)
        before = self.process()
        said, seconds = self.dpkg("--install", str(self.folder / "next.deb"))
        self.log.wait("a new version takes over when nobody is served")
        if self.process() != before or not self.chip.is_open:
            raise Wrong("the upgrade ended the sale")
        flowed = self.chip.end_flow()
        self.log.wait("paid")
        self.pull()
        ended = time.monotonic()
        self.log.wait("nobody is served: the new version begins")
        self.log.wait("insert your card")
        back = time.monotonic() - ended
        if self.process() == before or show("Result") != "success":
            raise Wrong(f"the new version did not follow: {show('Result')}")
        program = os.readlink(f"/proc/{self.process()}/exe")
        if program != "/usr/bin/greylockd":
            raise Wrong(f"what runs is {program}")
        self.row("upgrade in mid-sale", f"in {seconds:.0f} s; the sale goes on, {flowed:.2f} L paid, the new one serves {back:.0f} s after")

    def downgrade(self):
        """A program that would not serve, and what ours says of a journal that a newer one wrote."""
        before = self.process()
        self.dpkg("--install", str(self.folder / "older.deb"))
        self.log.wait("the service goes on as it is")
        if self.process() != before or "insert your card" not in show("StatusText"):
            raise Wrong("a program that would not serve was let in")
        self.dpkg("--install", str(self.folder / "next.deb"))
        self.log.wait("insert your card")
        run("systemctl", "stop", UNIT)
        table = "grdb_migrations"
        with sqlite3.connect(JOURNAL) as journal:
            journal.execute(f"INSERT INTO {table} (identifier) VALUES ('of a newer version')")
        journal.close()
        written = JOURNAL.read_bytes()
        for arguments in (["--check"], []):
            ours = ["runuser", "-u", "greylock", "--", "greylockd", "--config", str(SETTINGS), *arguments]
            ended = subprocess.run(ours, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
            if ended.returncode != 74 or "a newer version of this program wrote the journal" not in ended.stdout:
                raise Wrong(f"{' '.join(ours)}: {ended.returncode}, {ended.stdout}")
        if JOURNAL.read_bytes() != written:
            raise Wrong("the journal was changed")
        with sqlite3.connect(JOURNAL) as journal:
            journal.execute(f"DELETE FROM {table} WHERE identifier = 'of a newer version'")
        journal.close()
        run("systemctl", "start", UNIT)
        self.log.wait("insert your card")
        self.row("downgrade", "a program that would not serve is not begun; a newer version's journal is refused, unchanged")

    def cut(self):
        # As an updater by images does it at the next boot.
        good = Path("/etc/systemd/system/marked-good.service")
        good.write_text(
            "[Unit]\nRequires=boot-complete.target\nAfter=boot-complete.target\n"
            "[Service]\nType=oneshot\nExecStart=/bin/touch /run/good\n[Install]\nWantedBy=multi-user.target\n",
            encoding="utf-8",
        )
        run("systemctl", "enable", "greylock-serving.service", good.name)
        self.start_sale(2)
        (self.folder / "cut").write_text(f"{len(self.sales_so_far())}\n")
        os.sync()
        self.row("power cut", "in mid-sale")
        Path("/proc/sysrq-trigger").write_text("b")

    def sales_so_far(self):
        command = ["greylock", "records", "--json", "--last", "1000", "--journal", str(JOURNAL)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)["sales"]

    # The boot after it.

    def boot(self):
        if Path("/run/good").exists():
            raise Wrong("the system is good before a side serves")
        self.log = Log()
        self.chip = Chip(self.folder, RASPBERRY_PI)
        until("serving", lambda: "insert your card" in show("StatusText"))
        until("the system is good", Path("/run/good").exists)
        self.insert()
        self.log.wait("settles-ttc=")
        self.pull()
        self.row("the next boot", f"started by itself, then boot-complete.target; what was open is paid, {len(self.sales())} sales")
        flowed = self.sale()
        self.row("a sale", f"{flowed:.2f} L paid")

    def remove(self):
        before = len(self.sales())
        self.start_sale(1)
        begun = time.monotonic()
        kept = Path("/root/greylock")
        kept.write_bytes(Path("/usr/bin/greylock").read_bytes())
        kept.chmod(0o755)
        said, _ = self.dpkg("--remove", "greylock")
        closed = self.chip.seconds_to_closed(begun)
        flowed = self.chip.end_flow()
        self.pull()
        if "records, keys and parameters stay in /var/lib/greylock" not in said:
            raise Wrong("the removal does not say what stays")
        self.row("removed in mid-sale", f"outputs off after {closed:.2f} s, {flowed:.2f} L flowed")
        said, _ = self.dpkg("--purge", "greylock")
        report = json.loads(run(str(kept), "records", "--json", "--last", "1000", "--journal", str(JOURNAL)))
        if len(report["sales"]) <= before:
            raise Wrong("records are gone")
        self.row("purged", f"{len(report['sales'])} records are still there")


def main():
    boot, folder = sys.argv[1], Path(sys.argv[2])
    sys.stderr = open(folder / "log", "a", encoding="utf-8", buffering=1)
    board = Board(folder)
    steps = {
        "installed": [
            board.install, board.configure, board.looked_at, board.explained, board.sockets, board.upgrade, board.downgrade,
            board.cut,
        ],
        "removed": [board.boot, board.remove],
    }
    for step in steps[boot]:
        try:
            step()
        except Wrong as what:
            board.row(step.__name__, f"WRONG: {what}")
            print(run("systemctl", "status", "--no-pager", "--full", UNIT, check=False), file=sys.stderr)
            return 1
    return 0


sys.exit(main())
