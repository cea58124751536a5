"""What an issuer brings to a board, for board/tpm: a key store, sheets of a transport key, key blocks and a card.

    issuer_desk.py PROGRAMS FOLDER
"""

import json
import sys
from pathlib import Path

from settings import SCHEME_TERMINAL, card_profile
from typist import PASSPHRASE, Sheets, at_terminal


def asked(command, sheets=None):
    answers = [(r"passphrase.*: $", PASSPHRASE + "\r")] + (sheets.answers() if sheets else [])
    status, said = at_terminal(command, answers)
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}, it said: {said}")


def main():
    greylock, folder = str(Path(sys.argv[1], "greylock")), Path(sys.argv[2])
    store = str(folder / "issuer.keys")
    asked([greylock, "keys", "new", "--store", store])
    profile = folder / "card.toml"
    profile.write_text(card_profile(balance_fen=1000000).replace('keys = "demonstration"', f'keys = "{store}"'), encoding="utf-8")
    asked([greylock, "card", "new", "--profile", str(profile), "--state", str(folder / "card")])
    for number in (1, 2):
        sheets = Sheets.new()
        blocks = folder / f"blocks-{number}"
        asked([greylock, "keys", "wrap", "--store", store, "--terminal", SCHEME_TERMINAL, "--into", str(blocks)], sheets)
        (folder / f"sheets-{number}.json").write_text(json.dumps(vars(sheets)), encoding="utf-8")


main()
