#!/usr/bin/python3
"""A refused sale in a real journald, for board/journal-test.

    journal_test.py PROGRAMS FOLDER

Runs as root in a mount namespace of its own. FOLDER is empty and gone afterwards. Prints a row for each step.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from settings import card_profile, import_meters, meters

PATIENCE_SECONDS = 60
JOURNALD = "/usr/lib/systemd/systemd-journald"
SETTINGS = """
demonstration = true
terminal = {{ id = "001122334455" }}
journal = {{ path = "{folder}/journal" }}
parameters = {{ board = "virtual" }}
[side.1]
card = {{ kind = "virtual", state = "{folder}/card" }}
pin = {{ kind = "fixed" }}
[side.1.pump]
kind = "simulated"
nozzle = 1
grade = "92"
price = 785
[side.1.pump.simulated]
"""


class Wrong(Exception):
    pass


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8").stdout


def until(what, condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Wrong(f"{what} did not come within {PATIENCE_SECONDS} s")
        os.sched_yield()


def entries(*matches):
    command = ["journalctl", "--directory", "/run/log/journal", "--output", "json", "--no-pager", *matches]
    return [json.loads(line) for line in run(*command).splitlines()]


def stream():
    """Standard error as a unit's is, and how the environment names it (systemd.exec(5), JOURNAL_STREAM)."""
    opened = socket.socket(socket.AF_UNIX)
    opened.connect("/run/systemd/journal/stdout")
    opened.send(b"greylock\n\n6\n1\n0\n0\n0\n")
    named = os.fstat(opened.fileno())
    return opened, dict(os.environ, JOURNAL_STREAM=f"{named.st_dev}:{named.st_ino}")


def own_journal(programs):
    for place in ("/run", "/var/lib/systemd/catalog", "/usr/lib/systemd/catalog"):
        Path(place).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "none", place)
    Path("/run/systemd/journal").mkdir(parents=True)
    Path("/run/log/journal").mkdir(parents=True)
    Path("/usr/lib/systemd/catalog/greylock.catalog").write_text(run(f"{programs}/greylock", "explain", "--catalogue"), encoding="utf-8")
    run("journalctl", "--update-catalog")
    journald = subprocess.Popen([JOURNALD], stderr=subprocess.DEVNULL)
    until("journald", lambda: Path("/run/systemd/journal/stdout").exists())
    return journald


def refused_sale(programs, folder):
    settings = folder / "greylock.toml"
    for file, text in [
        (settings, SETTINGS.format(folder=folder)), (folder / "card.toml", card_profile(balance_fen=1)), (folder / "meters.toml", meters()),
    ]:
        file.write_text(text, encoding="utf-8")
    run(f"{programs}/greylock", "card", "new", "--profile", folder / "card.toml", "--state", folder / "card")
    run(f"{programs}/greylock", *import_meters(str(folder / "meters.toml"), str(settings)))
    errors, variables = stream()
    service = subprocess.Popen(
        [f"{programs}/greylock", "run", "--config", settings], stdin=subprocess.DEVNULL, stderr=errors, env=variables
    )
    until("the refusal", lambda: entries("GREYLOCK_CODE=not-enough-money"))
    service.terminate()
    service.wait()
    entry = entries("GREYLOCK_CODE=not-enough-money")[-1]
    message = json.loads(run(f"{programs}/greylock", "explain", "not-enough-money", "--json"))["messageID"]
    wanted = {"MESSAGE_ID": message, "GREYLOCK_POSITION": "1", "PRIORITY": "5", "_TRANSPORT": "journal"}
    if any(entry.get(name) != value for name, value in wanted.items()) or not entry["MESSAGE"].endswith("[not-enough-money]"):
        raise Wrong(f"the entry is {entry}")
    print("a refused sale                     an entry with code, position and message id", flush=True)
    said = run("journalctl", "--directory", "/run/log/journal", "--no-pager", "--catalog", f"MESSAGE_ID={message}")
    for words in ("Subject: greylock: The balance is too small", "Customer: load the card", "Code: not-enough-money"):
        if words not in said:
            raise Wrong(f"journalctl -x does not say {words!r}: {said}")
    print("journalctl -x                      says what it means and what to do", flush=True)


def last_word(programs, folder):
    """journald knows whose it is although the process has ended: it stays a line of the stream."""
    wrong = folder / "wrong.toml"
    wrong.write_text("demonstration = 1\n", encoding="utf-8")
    errors, variables = stream()
    status = subprocess.run([f"{programs}/greylockd", "--config", wrong], stderr=errors, env=variables, check=False).returncode
    until("the last word", lambda: any("[configuration-wrong]" in entry["MESSAGE"] for entry in entries("_TRANSPORT=stdout")))
    if status != 78:
        raise Wrong(f"it ended with {status}")
    print("a wrong configuration              78, and why in the journal", flush=True)


def main():
    programs, folder = sys.argv[1], Path(sys.argv[2])
    journald = own_journal(programs)
    try:
        refused_sale(programs, folder)
        last_word(programs, folder)
    except Wrong as what:
        print(f"WRONG: {what}")
        return 1
    finally:
        journald.terminate()
        journald.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
