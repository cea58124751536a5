#!/usr/bin/python3
"""What stands still on a board with a real systemd and a hardware watchdog, for board/watchdog-test.

    watchdog_board.py PROGRAMS TOOLS

Runs on the virtual board (board/systemd-vm --watchdog) as root, once for each boot: the first ends with a kernel that stands, the
second with a disk that never answers again, and the hardware watchdog resets the board both times. TOOLS has the compiled flow.c,
levels.c and hold.c, and an empty disk for the journal. Prints a row for each; the status is 0 when each is as it must be.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pump_chip import Chip
from systemd_unit import UNIT, Log, Wrong, run, show, until
from unit_board import ACTION_SECONDS, WATCHDOG_SECONDS, Board

STATE = Path("/var/lib/greylock")
DISK, BOOT, WRONGS = Path("/root/journal-disk"), Path("/root/boot"), Path("/root/wrong")
DEVICE = Path("/sys/class/watchdog/watchdog0")
# WDIOF_CARDRESET (Linux, Documentation/watchdog/watchdog-api.rst): the watchdog itself reset the board.
CARD_RESET = 0x20
BOARD = Path(__file__).resolve().parent.parent
# Half a litre at 20 L/min, and what an emulated board takes beside.
CHECKPOINT_SECONDS = 1.5 + 2.0
HARDWARE_SECONDS = 60
READER_PORT = 35963
# A pump's thread with a valve open.
PUMP_SECONDS = 1.0 + 0.5


class WatchedBoard(Board):
    def __init__(self, programs, tools, boot):
        run("modprobe", "loop")
        if boot == 1:
            shutil.copy(tools / "journal-disk", DISK)
            STATE.mkdir(parents=True, exist_ok=True)
        run("mount", "-o", "loop", str(DISK), str(STATE))
        if boot == 1:
            super().__init__(programs, tools)
            shutil.copy(BOARD / "greylock-pcscd.rules", "/etc/polkit-1/rules.d")
        else:
            self.programs, self.tools = programs, tools
            self.card, self.rows = None, []
            os.environ["LLVM_PROFILE_FILE"] = "/dev/null"
            self.log = Log()
        self.chip = Chip(tools)

    def start(self):
        run("systemctl", "start", UNIT)

    def insert(self):
        until("the virtual reader", lambda: f":{READER_PORT:04X} " in Path("/proc/net/tcp").read_text(encoding="utf-8"))
        super().insert()

    def hold(self, thread, process):
        holder = subprocess.Popen([self.tools / "hold", str(process), thread], stdout=subprocess.PIPE, encoding="utf-8")
        if holder.stdout.readline() != "held\n":
            raise Wrong(f"the thread {thread} is not held")

    def frozen(self, thread, words, closes_itself, seconds):
        self.start_sale(1)
        before = self.process()
        begun = time.monotonic()
        self.hold(thread, before)
        closed = self.chip.seconds_to_closed(begun)
        by_itself = self.process() == before and show("SubState") == "running"
        flowed = self.chip.end_flow()
        self.log.wait(words)
        back = self.restarted(before)
        whole = time.monotonic() - begun
        paid = self.settled(thread)
        if closed > seconds or by_itself != closes_itself:
            raise Wrong(f"{thread} held: outputs on for {closed:.2f} s, by itself: {by_itself}")
        self.row(
            f"{thread} held in mid-sale",
            f"outputs off after {closed:.2f} s ({'by the pump itself' if by_itself else 'by the stop action'}),"
            f" back after {whole:.1f} s; {flowed:.2f} L flowed, {paid:.2f} L settled",
        )
        return back

    def side(self):
        self.frozen("side-1", "does not come back from its wait", True, CHECKPOINT_SECONDS)

    def pump(self):
        self.frozen("pump-1", "the pump's thread stands still", False, PUMP_SECONDS + ACTION_SECONDS)

    def watchdog(self):
        self.frozen("watchdog", "Watchdog timeout", False, WATCHDOG_SECONDS + ACTION_SECONDS)

    @staticmethod
    def states(process):
        try:
            return [path.read_text().rsplit(")", 1)[1].split()[0] for path in Path(f"/proc/{process}/task").glob("*/stat")]
        except OSError:
            return []

    def hang_disk(self):
        self.start_sale(1)
        before = self.process()
        begun = time.monotonic()
        run("fsfreeze", "--freeze", str(STATE))
        return before, begun, self.chip.seconds_to_closed(begun)

    def disk(self):
        before, begun, closed = self.hang_disk()
        flowed = self.chip.end_flow()
        self.log.wait("no sign of life for the watchdog")
        until("the kill", lambda: show("SubState") != "running")
        killed = time.monotonic() - begun
        # No signal reaches what waits for the disk.
        until("threads that the kernel keeps", lambda: set(self.states(before)) <= {"D", "Z", "X"})
        kept = "D" in self.states(before)
        if self.chip.is_open or not kept:
            raise Wrong(f"killed behind a hung disk: outputs {'on' if self.chip.is_open else 'off'}, kept {kept}")
        answers = time.monotonic()
        run("fsfreeze", "--unfreeze", str(STATE))
        self.restarted(before)
        back = time.monotonic() - answers
        paid = self.settled("disk")
        if closed > CHECKPOINT_SECONDS:
            raise Wrong(f"the disk hung, and the outputs were on for {closed:.2f} s")
        self.row(
            "journal's disk hung in mid-sale",
            f"outputs off after {closed:.2f} s by the pump itself, killed after {killed:.1f} s, kept by the kernel; back"
            f" {back:.1f} s after the disk; {flowed:.2f} L flowed, {paid:.2f} L settled",
        )

    def arm(self):
        """As record 0069 tells the integrator, but with more time: an emulated board may be kept for 15 s by what its machine does."""
        for folder, name in (("/etc/systemd/system.conf.d", "watchdog.conf"), ("/etc/sysctl.d", "hung-disk.conf")):
            Path(folder).mkdir(parents=True, exist_ok=True)
            settings = (BOARD / name).read_text(encoding="utf-8").replace("RuntimeWatchdogSec=15", f"RuntimeWatchdogSec={HARDWARE_SECONDS}")
            Path(f"{folder}/greylock-{name}").write_text(settings, encoding="utf-8")
        Path("/etc/modules-load.d/greylock-watchdog.conf").write_text("i6300esb\n", encoding="utf-8")
        run("modprobe", "i6300esb")
        # What stops the kernel keeps nothing.
        run("sync")
        # What the file says from the next boot on, now.
        manager = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
        run("busctl", "set-property", *manager, "RuntimeWatchdogUSec", "t", str(HARDWARE_SECONDS * 1000000))
        until("the armed watchdog", lambda: (DEVICE / "state").read_text().strip() == "active")
        self.row("hardware watchdog", f"{(DEVICE / 'identity').read_text().strip()}, {(DEVICE / 'timeout').read_text().strip()} s, fed by systemd")

    def next_boot(self, number):
        self.chip.end_flow()
        BOOT.write_text(f"{number} {time.time()}", encoding="utf-8")
        run("sync", str(BOOT))

    def stop_kernel(self):
        self.start_sale(1)
        BOOT.write_text(f"2 {time.time()}", encoding="utf-8")
        run("sync", str(BOOT))
        # A kernel that stops for good: it would begin anew by itself, as hung-disk.conf has it.
        Path("/proc/sys/kernel/panic").write_text("0")
        Path("/proc/sysrq-trigger").write_text("c")

    def stop_disk(self):
        # As hung-disk.conf has it, but sooner; and a kernel that does not begin anew by itself.
        for name, value in (("hung_task_timeout_secs", "10"), ("hung_task_panic", "1"), ("panic", "0")):
            Path("/proc/sys/kernel", name).write_text(value)
        before, _, closed = self.hang_disk()
        self.row("journal's disk hung for good", f"outputs off after {closed:.2f} s by the pump itself, process {self.states(before).count('D')} threads kept")
        self.next_boot(3)
        time.sleep(240)
        raise Wrong("a disk that never answers again, and the board was not reset")

    def reset(self, what, since):
        status = int((DEVICE / "bootstatus").read_text())
        if not status & CARD_RESET:
            raise Wrong(f"{what}: the board was not reset by its watchdog: boot status {status}")
        self.start()
        self.insert()
        paid = self.settled(what)
        if paid < 0.5:
            raise Wrong(f"{what}: {paid:.2f} L settled of more than a litre")
        self.row(what, f"reset by the hardware watchdog, serving {time.time() - since:.0f} s after with its boot; {paid:.2f} L settled")


def main():
    programs, tools = Path(sys.argv[1]), Path(sys.argv[2])
    boot, since = (BOOT.read_text().split() if BOOT.exists() else ("1", "0"))
    boot, since = int(boot), float(since)
    board = WatchedBoard(programs, tools, boot)
    if boot == 1:
        board.start()
        board.log.wait("insert your card")
        causes = [board.arm, board.stop_kernel]
    elif boot == 2:
        stopped = lambda: board.reset("kernel stopped in mid-sale", since)
        causes = [stopped, board.side, board.pump, board.watchdog, board.disk, board.stop_disk]
    else:
        causes = [lambda: board.reset("disk hung for good", since)]
    for cause in causes:
        try:
            cause()
        except Wrong as what:
            WRONGS.write_text("1", encoding="utf-8")
            if board.chip.flow and board.chip.flow.poll() is None:
                board.chip.end_flow()
            board.row(f"boot {boot}", f"WRONG: {what}")
            print(run("systemctl", "status", "--no-pager", "--full", UNIT, check=False), file=sys.stderr)
    return 1 if WRONGS.exists() else 0


if __name__ == "__main__":
    sys.exit(main())
