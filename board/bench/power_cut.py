#!/usr/bin/python3
"""Cuts the virtual board's power in mid-sale, again and again, and checks what the next power-up makes of it.

    power_cut.py PROGRAMS FUEL CYCLES SEED FOLDER

Started by board/power-cut. One journal and one card live through all cycles: each power-up settles the sale before and
begins the next. It knows from outside what flowed (fuel.c), what the disk lost (volatile_disk.py) and what the card
holds, and compares that with the journal's records (ledger.py). What it made is in FOLDER; what went wrong is one line,
and the exit status 1.
"""

import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

from ledger import (
    BALANCE_FEN,
    EDGES_PER_SECOND,
    PRESET_CENTILITRES,
    PRESET_COUNTS,
    PRICE_FEN,
    SLOW_CENTILITRES,
    Cut,
    Ledger,
    Violation,
    litres,
    print_distribution,
    require,
)
from settings import card_profile, meters, service_settings
from volatile_disk import VolatileDisk, serve_on_thread

BOARD = Path(__file__).resolve().parent.parent
DISK_BYTES, FILE_SYSTEM_KIB = 64 << 20, 60 << 10
BLOCK = 4096
POWER_UP_SECONDS_MAX = 120

# From the card's insertion to the paid sale: one or two for each of intent, lock, checkpoints and settlement.
FLUSHES_MAX = 14

CONFIGURATION = service_settings(
    "/mnt/journal/journal.sqlite",
    first_flow_seconds=10,
    preset_centilitres=PRESET_CENTILITRES,
    price_fen=PRICE_FEN,
)
METERS = meters(slow_flow_centilitres=SLOW_CENTILITRES)
CARD = card_profile(BALANCE_FEN)


class Plan:
    """When the power is cut: at an edge of the pulser, or at a flush of the disk before or after it takes effect."""

    def __init__(self, seed, cycle):
        self.chance = random.Random(f"{seed} {cycle}")
        self.at_edge = self.chance.random() < 0.75
        self.number = self.chance.randrange(1, PRESET_COUNTS + 1 if self.at_edge else 2 * FLUSHES_MAX)
        # Between two edges, and over several: the board works in step with them.
        self.delay_seconds = self.chance.uniform(0, 0.02) if self.at_edge else 0.0

    def __str__(self):
        if self.at_edge:
            return f"edge {self.number:4} + {1000 * self.delay_seconds:4.1f} ms"
        return f"{'after ' if self.number % 2 else 'before'} flush {self.number // 2:2}   "


class Bench:
    def __init__(self, programs, fuel, folder):
        self.programs, self.fuel, self.folder = programs, fuel, folder
        self.image = folder / "disk"
        self.share = folder / "share"
        self.share.mkdir()
        (self.share / "greylock.toml").write_text(CONFIGURATION, encoding="utf-8")
        (self.share / "meters.toml").write_text(METERS, encoding="utf-8")
        (folder / "card.toml").write_text(CARD, encoding="utf-8")
        with open(self.image, "wb") as file:
            file.truncate(DISK_BYTES)
        self.run("/sbin/mkfs.ext4", "-q", self.image, f"{FILE_SYSTEM_KIB}k")
        profile, state = folder / "card.toml", self.share / "card"
        self.run(programs / "greylock", "card", "new", "--profile", profile, "--state", state)

    def run(self, *command):
        with open(self.folder / "board.log", "ab") as log:
            return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=log, encoding="utf-8").stdout

    def power_up(self, mode, plan=None):
        """Returns when the power is cut, or at the end of what the board does."""
        edges = edges_at_last_flush = 0
        flushes_before_sale = None
        was_paid = False
        paths = [self.folder / "disk.socket", self.folder / "port.socket"]
        for path in paths:
            path.unlink(missing_ok=True)

        def on_flush(number):
            nonlocal edges_at_last_flush
            if plan and not plan.at_edge and flushes_before_sale is not None:
                if number - 2 * flushes_before_sale == plan.number:
                    disk.cut()
            if number % 2 and not disk.is_cut:
                edges_at_last_flush = edges

        chance = plan.chance if plan else random.Random(0)
        disk = VolatileDisk(self.image, str(paths[0]), chance, loses_all=plan is None, on_flush=on_flush)
        thread = serve_on_thread(disk)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(paths[1]))
            listener.listen(1)
            board = self.start(mode, paths)
            try:
                listener.settimeout(POWER_UP_SECONDS_MAX)
                port, _ = listener.accept()
                with port:
                    port.settimeout(POWER_UP_SECONDS_MAX)
                    while heard := self.hear(port):
                        edges += heard.count(b".")
                        was_paid = was_paid or b"E" in heard
                        if b"S" in heard:
                            flushes_before_sale = disk.flushes
                        is_due = plan is not None and plan.at_edge and edges >= plan.number
                        if not disk.is_cut and (is_due or was_paid or b"P" in heard):
                            time.sleep(plan.delay_seconds if plan else 0)
                            disk.cut()
            except TimeoutError as timeout:
                board.terminate()
                raise Violation(f"nothing was heard of the board for {POWER_UP_SECONDS_MAX} s") from timeout
        status = board.wait()
        thread.join()
        require(status == (125 if disk.is_cut else 0), f"the board's command ended with {status}")
        return Cut(edges, edges_at_last_flush, disk.sectors_unflushed, disk.sectors_lost, was_paid)

    def start(self, mode, paths):
        command = [BOARD / "vm", "--disk", paths[0], "--port", paths[1], "--share", self.share]
        command += [BOARD / "bench/power-cut-board", self.programs, self.fuel, self.share, str(EDGES_PER_SECOND), mode]
        environment = {**os.environ, "GREYLOCK_VM_SECONDS": str(POWER_UP_SECONDS_MAX)}
        with open(self.folder / "board.log", "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    @staticmethod
    def hear(port):
        try:
            return port.recv(65536)
        except ConnectionError:
            return b""

    def prove_disk(self):
        """The disk loses what it was given without a flush, and nothing else."""
        cut = self.power_up("prove")
        require(cut.sectors_lost >= BLOCK // 512, "no unflushed block had reached the disk")
        with open(self.image, "rb") as file:
            file.seek(DISK_BYTES - 2 * BLOCK)
            flushed, unflushed = file.read(BLOCK), file.read(BLOCK)
        require(flushed == b"flushed\n" * (BLOCK // 8), "the disk lost a flushed block")
        require(unflushed == bytes(BLOCK), "the disk kept an unflushed block")

    def check_files(self):
        files = (self.share / "files").read_text(encoding="utf-8").split()
        require("flushed" in files and "unflushed" not in files, f"of two files, after the cut there are {files}")

    def check_file_system(self):
        self.run("/sbin/e2fsck", "-f", "-n", self.image)

    def report(self):
        journal = json.loads((self.share / "records.json").read_text(encoding="utf-8"))
        card = self.run(self.programs / "greylock", "card", "show", "--json", "--state", self.share / "card.seen")
        return journal, json.loads(card)


def main():
    if len(sys.argv) != 6:
        sys.exit("usage: power_cut.py PROGRAMS FUEL CYCLES SEED FOLDER")
    programs, fuel, folder = (Path(sys.argv[index]) for index in (1, 2, 5))
    cycles, seed = int(sys.argv[3]), int(sys.argv[4])
    bench, ledger, losses = Bench(programs, fuel, folder), Ledger(), []
    cycle, cut, plan = 0, None, None
    begun = time.monotonic()
    try:
        bench.prove_disk()
        print("a block and a file that were written lost, the same with a flush kept")
        for cycle in range(cycles + 1):
            last = cycle == cycles
            before, before_plan = cut, plan
            plan = None if last else Plan(seed, cycle + 1)
            cut = bench.power_up("last" if last else "sale", plan)
            if cycle == 0:
                bench.check_files()
                continue
            loss = ledger.settle(before, *bench.report())
            losses.append(loss)
            print(
                f"cut {cycle:3}: {before_plan}; unflushed {before.sectors_unflushed:3} sectors, lost"
                f" {before.sectors_lost:3}; flowed {litres(loss.flowed)} L, recorded {litres(loss.recorded)}, lost"
                f" {litres(loss.lost)} L, {loss.fen:3} fen; {loss.outcome}",
                flush=True,
            )
        bench.check_file_system()
    except (Violation, subprocess.CalledProcessError) as failure:
        print(f"seed {seed}, after cut {cycle}: {failure}; see board.log", file=sys.stderr)
        sys.exit(1)
    print_distribution(losses)
    print(f"{cycles} cuts in {time.monotonic() - begun:.0f} s, all settled; the card paid every recorded fen once")


if __name__ == "__main__":
    main()
