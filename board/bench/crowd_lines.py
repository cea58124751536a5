#!/usr/bin/python3
"""The same crowd on a board whose pulsers turn kernel lines, for board/crowd --lines.

    crowd_lines.py PROGRAMS EDGES_PER_SECOND SECONDS FOLDER

Runs `greylock run` on the virtual board (board/vm --steady) as root, with eight sides of virtual cards, each on a chip of gpio-sim; FOLDER has the compiled
pulse-source.c. Prints a row without clients and one with ten; the status is 0 when every edge came at its pace and was counted.
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crowd import LOOK_SECONDS, SIDES, Client, Crowd, Figures, JournalLog, heading, import_meters, side_settings, use

A, B, NOZZLE = 0, 1, 2


def make_chip(side):
    """The folder of its lines."""
    folder = Path(f"/sys/kernel/config/gpio-sim/side-{side}")
    (folder / "bank").mkdir(parents=True)
    (folder / "bank/num_lines").write_text("8")
    (folder / "bank/label").write_text(f"side-{side}")
    (folder / "live").write_text("1")
    device, chip = (folder / "dev_name").read_text().strip(), (folder / "bank/chip_name").read_text().strip()
    return Path("/sys/devices/platform") / device / chip


def configuration(folder):
    text = heading(folder) + "timeouts = { first_flow = 60 }\n"
    for side in range(1, SIDES + 1):
        text += side_settings(side, "gpio") + f"""
chip = "side-{side}"
a = {A}
b = {B}
nozzle = {NOZZLE}
motor = 4
main_valve = 5
debounce_milliseconds = 1
"""
    return text


def write(chips, line, level):
    for chip in chips:
        (chip / f"sim_gpio{line}/pull").write_text(level)


def wait(status, *states):
    end = time.monotonic() + 30
    while True:
        sides = [side["state"] for side in status.ask(command="status")["answer"]["sides"]]
        if all(state in states for state in sides):
            return
        if time.monotonic() > end:
            raise SystemExit(f"the sides are {sides}, not {states}")
        time.sleep(0.1)


class Turn:
    """`folder` has the trace and the compiled source."""

    def __init__(self, programs, chips, folder, is_crowded):
        self.chips, self.source = chips, [folder / "pulse-source", "--trace", folder / "trace"]
        self.figures = Figures()
        with tempfile.TemporaryDirectory(dir=folder) as name:
            self.run(programs, Path(name), is_crowded)

    def run(self, programs, folder, is_crowded):
        # The trace begins where both are low.
        for line in (A, B):
            write(self.chips, line, "pull-down")
        tool, config = str(programs / "greylock"), folder / "greylock.toml"
        config.write_text(configuration(folder), encoding="utf-8")
        import_meters(tool, folder, config)
        with open(folder / "log", "w", encoding="utf-8") as log:
            service = subprocess.Popen([tool, "run", "--config", config], stdin=subprocess.DEVNULL, stderr=log)
        try:
            subprocess.run([tool, "health", "--config", config, "--wait", "60"], check=True, stdout=subprocess.DEVNULL)
            crowd = Crowd(folder, is_crowded)
            self.flow(folder, service.pid)
            self.figures.told = crowd.end()
        finally:
            service.send_signal(signal.SIGTERM)
            self.status = service.wait()
            if sys.exc_info()[0]:
                print((folder / "log").read_text(encoding="utf-8"))
        self.figures.read(tool, folder)

    def flow(self, folder, process):
        status = Client(folder / "read.sock")
        wait(status, "authorised")
        write(self.chips, NOZZLE, "pull-up")
        wait(status, "started", "fuelling")
        before, begun = use(process)[0], time.monotonic()
        pulls = [chip / f"sim_gpio{line}/pull" for chip in self.chips for line in (A, B)]
        pulser = subprocess.Popen([*self.source, *pulls], stdout=subprocess.PIPE, encoding="utf-8")
        log = JournalLog(folder / "journal")
        while pulser.poll() is None:
            self.figures.look(log)
            time.sleep(LOOK_SECONDS)
        self.figures.end(process, before, time.monotonic() - begun)
        said = pulser.stdout.read()
        self.edges, self.pace, self.asked, self.stands = [int(word) for word in said.replace(",", "").split() if word.isdigit()][:4]
        write(self.chips, NOZZLE, "pull-down")
        wait(status, "completed")

    @property
    def is_whole(self):
        figures = self.figures
        paid = figures.counts == SIDES * self.edges and len(figures.sales) == SIDES and not self.status
        return paid and not figures.faults and self.pace >= 0.98 * self.asked


def main():
    programs, rate, seconds, folder = Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    chips = [make_chip(side) for side in range(1, SIDES + 1)]
    generate = ["pulses", "generate", "--edges", str(rate * seconds), "--rate", str(rate), "--into", str(folder / "trace")]
    subprocess.run([programs / "greylock", *generate], check=True, stdout=subprocess.DEVNULL)
    wrong = False
    for is_crowded in (False, True):
        turn = Turn(programs, chips, folder, is_crowded)
        print(f"{turn.pace}/s of {turn.asked}/s at each of {SIDES}, {turn.stands} stands; {turn.figures.words(SIDES * turn.edges)}", flush=True)
        wrong |= not turn.is_whole
    if wrong:
        print("WRONG: a sale ended early, counts are lost, or the pulsers did not keep their pace")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
