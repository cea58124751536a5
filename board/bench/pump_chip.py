"""The pump: a chip of gpio-sim, its levels as another program sees them, and a customer at its nozzle."""

import subprocess
import threading
from pathlib import Path

from settings import A, B, COUNTS_PER_LITRE, NOZZLE, OUTPUTS
from systemd_unit import run, until

# 20 litres a minute: what an emulated board takes beside its other work.
EDGES_PER_SECOND = 133


class Chip:
    """The pump's lines, and their levels as another program sees them."""

    def __init__(self, tools):
        run("modprobe", "gpio-sim")
        folder = Path("/sys/kernel/config/gpio-sim/pump")
        (folder / "bank").mkdir(parents=True)
        (folder / "bank/num_lines").write_text("8")
        (folder / "bank/label").write_text("pump")
        (folder / "live").write_text("1")
        name, device = (folder / "bank/chip_name").read_text().strip(), (folder / "dev_name").read_text().strip()
        self.lines = Path("/sys/devices/platform") / device / name
        self.tools = tools
        self.changes = []
        files = [str(self.file(line, kind)) for line in OUTPUTS for kind in ("value", "pull")]
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
        self.file(NOZZLE, "pull").write_text("pull-up" if lifted else "pull-down")

    def start_flow(self):
        """A customer who lifts the nozzle; fuel flows as long as a valve is open."""
        files = [self.file(A, "pull"), self.file(B, "pull"), *(self.file(output, "value") for output in OUTPUTS[1:])]
        self.flow = subprocess.Popen([self.tools / "flow", *files, str(EDGES_PER_SECOND)], stdout=subprocess.PIPE, encoding="utf-8")
        self.lift(True)

    def end_flow(self):
        """The customer hangs up. Returns how much flowed, in litres."""
        self.lift(False)
        self.flow.terminate()
        said, _ = self.flow.communicate()
        return int(said) / COUNTS_PER_LITRE
