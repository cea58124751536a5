#!/usr/bin/python3
"""What a crowd at the service's sockets costs its sales, for board/crowd.

    crowd.py PROGRAMS LITRES FOLDER

Runs `greylock run` with eight simulated sides, by turns without clients and with ten. A checkpoint's lateness is looked at from outside, in the
journal's log as the service writes it: how long each side's row stays as it is while fuel flows. Prints a row for each turn; the status is 0 when nothing was
lost, no valve was held, and no checkpoint came later with the clients than without, beyond what the two turns without them differ.
"""

import json
import multiprocessing
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIDES, COUNTS_PER_LITRE, LITRES_PER_MINUTE = 8, 400, 200
# Of status answers, and between two orders.
ASK_SECONDS, ORDER_SECONDS, LOOK_SECONDS = 0.02, 0.5, 0.005


def heading(folder: Path) -> str:
    return f"""
demonstration = true
terminal = {{ id = "310000000017" }}
journal = {{ path = "{folder}/journal" }}
parameters = {{ path = "{folder}/parameters", board = "crowd" }}
interface = {{ read = "{folder}/read.sock", control = "{folder}/control.sock" }}
"""


def side_settings(side: int, kind: str) -> str:
    """Down to the table of the pump's kind, whose keys follow."""
    return f"""
[side.{side}]
card = {{ kind = "virtual" }}
pin = {{ kind = "fixed" }}
[side.{side}.pump]
kind = "{kind}"
nozzle = {side}
grade = "92"
price = 10
[side.{side}.pump.{kind}]
"""


def configuration(folder: Path, litres: int) -> str:
    text = heading(folder)
    for side in range(1, SIDES + 1):
        text += side_settings(side, "simulated") + f"""
centilitres = {100 * litres}
litres_per_minute = {LITRES_PER_MINUTE}
speed = 1
"""
    return text


def meters() -> str:
    return "".join(
        f"""
[side.{side}.pump]
meter_serial = "crowd"
pulser_serial = "crowd"
pulses_per_litre = {COUNTS_PER_LITRE // 4}
channels = 2
security = "alarm"
"""
        for side in range(1, SIDES + 1)
    )


def import_meters(tool: str, folder: Path, config: Path):
    (folder / "meters.toml").write_text(meters(), encoding="utf-8")
    people = ["--name", "crowd", "--second", "bench", "--reason", "a crowd"]
    command = [tool, "parameters", "import", str(folder / "meters.toml"), "--config", str(config), *people]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class JournalLog:
    """The checkpoints' rows as they come into a SQLite log that its writer has for itself (https://www.sqlite.org/fileformat2.html)."""

    PAGE, FRAME_HEADER, LOG_HEADER = 4096, 24, 32

    def __init__(self, journal):
        for suffix in ("", "-wal"):
            shutil.copy(f"{journal}{suffix}", f"{journal}-copy{suffix}")
        with sqlite3.connect(f"{journal}-copy") as copy:
            root = copy.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'checkpoint'").fetchone()[0]
            columns = [row[1] for row in copy.execute("PRAGMA table_info(checkpoint)")]
        self.root, self.pages = root, {root}
        self.column = columns.index("volume_microlitres")
        self.log = open(f"{journal}-wal", "rb", buffering=0)
        self.salts, self.place = b"", 0

    def news(self):
        """Each row that was written since, with its volume."""
        header = os.pread(self.log.fileno(), self.LOG_HEADER, 0)
        if header[16:24] != self.salts:
            # Begun anew, from its start.
            self.salts, self.place = header[16:24], self.LOG_HEADER
        while True:
            frame = os.pread(self.log.fileno(), self.FRAME_HEADER + self.PAGE, self.place)
            if len(frame) < self.FRAME_HEADER + self.PAGE or frame[8:16] != self.salts:
                return
            self.place += len(frame)
            number, page = int.from_bytes(frame[:4], "big"), frame[self.FRAME_HEADER :]
            if number == self.root and page[0] == 5:
                cells = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(int.from_bytes(page[3:5], "big"))]
                self.pages = {int.from_bytes(page[cell : cell + 4], "big") for cell in cells}
                self.pages.add(int.from_bytes(page[8:12], "big"))
                continue
            if number == self.root:
                self.pages = {self.root}
            if number in self.pages and page[0] == 13:
                for n in range(int.from_bytes(page[3:5], "big")):
                    yield self.row(page, int.from_bytes(page[8 + 2 * n : 10 + 2 * n], "big"))

    def row(self, page, place):
        _, place = self.varint(page, place)
        number, place = self.varint(page, place)
        length, types = self.varint(page, place)
        value = place + length
        for column in range(self.column + 1):
            kind, types = self.varint(page, types)
            size = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 12 else (kind - 12) // 2
            if column == self.column:
                return number, kind - 8 if kind in (8, 9) else int.from_bytes(page[value : value + size], "big", signed=True)
            value += size
        raise AssertionError("the column is there")

    @staticmethod
    def varint(page, place):
        value = 0
        while True:
            value = value << 7 | page[place] & 0x7F
            place += 1
            if page[place - 1] < 0x80:
                return value, place


class Client:
    """One connection; lines in and out as JSON."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb")

    def send(self, **members):
        self.socket.sendall(json.dumps({"id": 1, **members}).encode() + b"\n")

    def next(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("the service ended the connection")
        return json.loads(line)

    def ask(self, **members):
        self.send(**members)
        return self.next()


def watcher(folder, told):
    client = Client(folder / "read.sock")
    client.send(command="watch")
    while True:
        client.next()
        told["events"].value += 1


def asker(folder, told):
    client = Client(folder / "read.sock")
    while True:
        begun = time.monotonic()
        client.ask(command="status")
        told["answers"].value += 1
        told["slowest"].value = max(told["slowest"].value, time.monotonic() - begun)
        time.sleep(ASK_SECONDS)


def forecourt(folder, told):
    client = Client(folder / "control.sock")
    number = 0
    while True:
        number += 1
        side = 1 + number % SIDES
        answers = [
            client.ask(command="price", key=f"p{number}", side=side, fenPerLitre=10 + number % 2),
            client.ask(command="records"),
        ]
        if any("answer" not in answer for answer in answers):
            raise ConnectionError(str(answers))
        told["orders"].value += 1
        time.sleep(ORDER_SECONDS)


def silent(folder, told):
    """Asks as much as the socket takes, and reads nothing."""
    while True:
        client = Client(folder / "read.sock")
        client.send(command="watch")
        try:
            while True:
                client.send(command="status")
        except OSError:
            told["cut"].value += 1


CROWD = [watcher] * 4 + [asker] * 2 + [forecourt] + [silent] * 3


def run_client(client, folder, told):
    # When the service ends, its clients end.
    try:
        client(folder, told)
    except (ConnectionError, BrokenPipeError, FileNotFoundError):
        pass


class Crowd:
    def __init__(self, folder, is_there):
        self.told = {name: multiprocessing.Value(kind, 0) for name, kind in TOLD.items()}
        self.clients = [
            multiprocessing.Process(target=run_client, args=(client, folder, self.told), daemon=True)
            for client in (CROWD if is_there else [])
        ]
        for client in self.clients:
            client.start()

    def end(self):
        missing = [client for client in self.clients if not client.is_alive()]
        for client in self.clients:
            client.terminate()
            client.join()
        if missing:
            raise SystemExit(f"{len(missing)} clients were cut off that read what they got")
        return {"clients": len(self.clients), **{name: value.value for name, value in self.told.items()}}


TOLD = {"events": "L", "answers": "L", "slowest": "d", "orders": "L", "cut": "L"}


def use(process: int) -> tuple[float, int, int]:
    """Processor seconds, resident KiB at most, descriptors."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    return seconds, peak, len(os.listdir(f"/proc/{process}/fd"))


class Figures:
    """What a turn took, and what became of its sales."""

    def __init__(self):
        self.gaps, self.seen, self.told = [], {}, None

    def look(self, log):
        """How long each checkpoint stood until the next one of its side."""
        now = time.monotonic()
        for number, volume in log.news():
            known = self.seen.get(number)
            if known is None or known[0] != volume:
                if known is not None:
                    self.gaps.append(now - known[1])
                self.seen[number] = (volume, now)

    def end(self, process, before, seconds):
        after, self.peak, self.descriptors = use(process)
        self.load = (after - before) / seconds
        self.gaps.sort()

    def read(self, tool, folder):
        command = [tool, "records", "--json", "--last", "1000", "--journal", str(folder / "journal")]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)
        self.sales = report["sales"]
        self.counts = sum(sum(sale["counts"]) for sale in self.sales)
        self.faults = sum(sale["pulserFaults"] for sale in self.sales)
        self.held = (folder / "log").read_text(encoding="utf-8").count("the journal's disk is slow")

    def at(self, part):
        return 1000 * self.gaps[min(len(self.gaps) - 1, int(part * len(self.gaps)))]

    def words(self, counts):
        crowd = (
            f"; {self.told['events']} events, {self.told['answers']} answers, the slowest after {1000 * self.told['slowest']:.0f} ms, "
            f"{self.told['orders']} orders, {self.told['cut']} cut off"
            if self.told["clients"]
            else ""
        )
        return (
            f"{self.told['clients'] or 'no':>2} clients  {len(self.sales)} sales, {self.counts} counts of {counts}, {self.faults} faults, "
            f"{self.held} held; {len(self.gaps)} checkpoints, {self.at(0.5):.0f} ms apart, 99 % {self.at(0.99):.0f}, "
            f"longest {self.at(1):.0f}; {100 * self.load:.0f} % of a core, {self.peak / 1024:.1f} MB, {self.descriptors} descriptors{crowd}"
        )


class Turn:
    def __init__(self, programs: Path, litres: int, folder: str, is_crowded: bool):
        self.is_crowded, self.counts = is_crowded, SIDES * litres * COUNTS_PER_LITRE
        with tempfile.TemporaryDirectory(prefix="crowd", dir=folder) as name:
            self.run(programs, Path(name), litres)

    def run(self, programs, folder, litres):
        tool = str(programs / "greylock")
        config = folder / "greylock.toml"
        config.write_text(configuration(folder, litres), encoding="utf-8")
        import_meters(tool, folder, config)
        with open(folder / "log", "w", encoding="utf-8") as log:
            service = subprocess.Popen([tool, "run", "--config", str(config)], stdin=subprocess.DEVNULL, stderr=log)
        self.figures = Figures()
        try:
            subprocess.run([tool, "health", "--config", str(config), "--wait", "60"], check=True, stdout=subprocess.DEVNULL)
            crowd = Crowd(folder, self.is_crowded)
            before, begun = use(service.pid)[0], time.monotonic()
            self.flow(folder, 4 * 60 * litres / LITRES_PER_MINUTE + 60)
            self.figures.end(service.pid, before, time.monotonic() - begun)
            self.figures.told = crowd.end()
        finally:
            service.send_signal(signal.SIGTERM)
            self.status = service.wait()
        self.figures.read(tool, folder)

    def flow(self, folder, seconds):
        log, status = JournalLog(folder / "journal"), Client(folder / "read.sock")
        end = time.monotonic() + seconds
        asked = 0.0
        while True:
            self.figures.look(log)
            now = time.monotonic()
            if now - asked > 0.5:
                asked = now
                sides = status.ask(command="status")["answer"]["sides"]
                if all(side["state"] == "completed" for side in sides):
                    return
            if now > end:
                raise SystemExit(f"the sales did not end in time: {[side['state'] for side in sides]}")
            time.sleep(LOOK_SECONDS)

    @property
    def is_whole(self):
        figures = self.figures
        return figures.counts == self.counts and not figures.faults and not self.status and len(figures.sales) == SIDES


def main():
    programs, litres, folder = Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3]
    turns = []
    for is_crowded in (False, True, False, True):
        turns.append(Turn(programs, litres, folder, is_crowded))
        print(turns[-1].figures.words(turns[-1].counts), flush=True)
    alone = [turn.figures for turn in turns if not turn.is_crowded]
    crowded = [turn.figures for turn in turns if turn.is_crowded]
    wrong = []
    if not all(turn.is_whole for turn in turns):
        wrong.append("a sale ended early, or counts are lost")
    if any(turn.held for turn in crowded) and not any(turn.held for turn in alone):
        wrong.append("a valve was held for a checkpoint")
    # One look more or less is the eye's own.
    spread = abs(alone[0].at(0.99) - alone[1].at(0.99)) + 1000 * LOOK_SECONDS
    later = min(turn.at(0.99) for turn in crowded) - max(turn.at(0.99) for turn in alone)
    print(f"with clients, 99 % of the checkpoints come {later:+.0f} ms beside without; the turns without differ by {spread:.0f} ms with a look")
    if later > spread:
        wrong.append("checkpoints come later")
    for what in wrong:
        print(f"WRONG: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
