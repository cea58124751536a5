"""The pump: a chip of gpio-sim, its levels as another program sees them, and a customer at its nozzle."""

import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

from settings import A, B, COUNTS_PER_LITRE, NOZZLE, OUTPUTS
from systemd_unit import run, until

# 20 litres a minute: what an emulated board takes beside its other work.
EDGES_PER_SECOND = 133


class Wiring(NamedTuple):
    """Which lines of a chip are the pump's, by their offsets."""

    label: str = "pump"
    count: int = 8
    names: str = ""  # of line 3, with its number for {}
    a: int = A
    b: int = B
    nozzle: int = NOZZLE
    lifted: str = "pull-up"
    outputs: tuple[int, ...] = OUTPUTS  # the motor first


# Side 1 of board/profiles/raspberry-pi-4.toml.
RASPBERRY_PI = Wiring("pinctrl-bcm2711", 28, "GPIO{}", 17, 27, 22, "pull-down", (24, 25, 16))


class Chip:
    """The pump's lines, and their levels as another program sees them."""

    def __init__(self, tools, wiring=Wiring()):
        self.wiring = wiring
        run("modprobe", "gpio-sim")
        folder = Path("/sys/kernel/config/gpio-sim/pump")
        (folder / "bank").mkdir(parents=True)
        (folder / "bank/num_lines").write_text(str(wiring.count))
        (folder / "bank/label").write_text(wiring.label)
        for line in range(wiring.count) if wiring.names else ():
            (folder / f"bank/line{line}").mkdir()
            (folder / f"bank/line{line}/name").write_text(wiring.names.format(line))
        (folder / "live").write_text("1")
        name, device = (folder / "bank/chip_name").read_text().strip(), (folder / "dev_name").read_text().strip()
        self.lines = Path("/sys/devices/platform") / device / name
        self.tools = tools
        self.changes = []
        files = [str(self.file(line, kind)) for line in wiring.outputs for kind in ("value", "pull")]
        self.flow = None
        self.levels = subprocess.Popen([tools / "levels", "keep", *files], stdout=subprocess.PIPE, encoding="utf-8")
        threading.Thread(target=self.read, daemon=True).start()

    def file(self, line, kind):
        return self.lines / f"sim_gpio{line}" / kind

    def read(self):
        for line in self.levels.stdout:
            instant, levels = line.split()
            self.changes.append((int(instant) / 1e9, levels))

    @property
    def is_open(self):
        return bool(self.changes) and "1" in self.changes[-1][1]

    def seconds_to_closed(self, since):
        """From `since` to the instant from which every output is off."""
        until("the outputs are off", lambda: not self.is_open)
        return max(0.0, self.changes[-1][0] - since)

    def lift(self, lifted):
        hung = "pull-down" if self.wiring.lifted == "pull-up" else "pull-up"
        self.file(self.wiring.nozzle, "pull").write_text(self.wiring.lifted if lifted else hung)

    def start_flow(self):
        """A customer who lifts the nozzle; fuel flows as long as a valve is open."""
        pulser = [self.file(line, "pull") for line in (self.wiring.a, self.wiring.b)]
        files = [*pulser, *(self.file(output, "value") for output in self.wiring.outputs[1:])]
        self.flow = subprocess.Popen([self.tools / "flow", *files, str(EDGES_PER_SECOND)], stdout=subprocess.PIPE, encoding="utf-8")
        self.lift(True)

    def end_flow(self):
        """The customer hangs up. Returns how much flowed, in litres."""
        self.lift(False)
        self.flow.terminate()
        said, _ = self.flow.communicate()
        return int(said) / COUNTS_PER_LITRE
