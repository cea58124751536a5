"""A person at a terminal: what a program asks there is answered as a table says."""

import itertools
import os
import pty
import re
import select
import subprocess

# Of the issuer's key store.
PASSPHRASE = "a passphrase of the issuer"


class Unanswered(Exception):
    """The program ended or waits, and not as the table has it."""


def at_terminal(command, answers, patience=60, started=lambda process: None):
    """Runs `command` at a pseudo-terminal of its own.

    `answers` are pairs: a regular expression of what is asked, and what is then typed, a text or an iterator of texts.
    `patience` is for each answer, in seconds; `started` is given the process. Returns the exit status and all that was said."""
    terminal, its_side = pty.openpty()
    streams = {"stdin": its_side, "stdout": its_side, "stderr": its_side}
    process = subprocess.Popen(["setsid", "--ctty", *command], **streams)
    os.close(its_side)
    started(process)
    said, seen = "", 0
    while select.select([terminal], [], [], patience)[0]:
        try:
            said += os.read(terminal, 4096).decode("utf-8", "replace")
        except OSError:
            # The last of them has closed it.
            os.close(terminal)
            return process.wait(), said
        for question, answer in answers:
            if re.search(question, said[seen:]):
                seen = len(said)
                os.write(terminal, (answer if isinstance(answer, str) else next(answer)).encode())
                break
    process.kill()
    process.wait()
    os.close(terminal)
    raise Unanswered(f"{' '.join(command)} waits; it said: {said}")


class Sheets:
    """The sheets of one key of AES-256: components in groups with check digits, and their check values."""

    def __init__(self, components, check_values):
        self.components, self.check_values = components, check_values

    @staticmethod
    def new():
        components = [os.urandom(32) for _ in range(2)]
        return Sheets([sheet_text(component) for component in components], [check_value(component) for component in components])

    def answers(self):
        """To every question of the ceremony."""
        return [
            (r"\s0 of 16 groups", iter(self.components)),
            (r"check value of your component.*: $", (value + "\r" for value in self.check_values)),
            (r"(yes or no|yes/no).*: $", itertools.repeat("yes\r")),
            (r"envelope.*: $", (number + "\r" for number in ("1001", "1002"))),
            (r"name.*: $", (name + "\r" for name in ("A. Meier", "B. Zhang"))),
        ]


def sheet_text(component):
    groups = [component[start : start + 2].hex().upper() for start in range(0, len(component), 2)]
    return " ".join(f"{group}-{check_digit(group, number)}" for number, group in enumerate(groups, 1))


def check_digit(group, number):
    """Over GF(16), polynomial x^4 + x + 1: digits times x to x^4, the group's number times x^5."""
    total = times_x(number & 15, 5)
    for power, digit in enumerate(group, 1):
        total ^= times_x(int(digit, 16), power)
    return f"{total:X}"


def times_x(value, power):
    for _ in range(power):
        value = (value << 1 ^ (0x13 if value & 8 else 0)) & 15
    return value


def check_value(key):
    """Five bytes of the CMAC of a block of zeros."""
    command = ["openssl", "mac", "-cipher", "AES-256-CBC", "-macopt", f"hexkey:{key.hex()}", "-in", "-", "CMAC"]
    return subprocess.run(command, input=bytes(16), check=True, stdout=subprocess.PIPE).stdout.decode()[:10]
