#!/usr/bin/env python3
"""tamper_port.py SOCKET COUNT: hears at the board's port, outside of it, when the tamper line is pulled (e), when the valves are off (v)
and when the keys are out of memory (k), until the board is gone. Prints the largest time of each, and ends with 1 when one of COUNT is
missing. The kernel debounces the line first: the limit, from its own time of the edge, is kept in the board."""

import socket
import sys
import time

# The first run fetches the board's kernel.
CONNECTION_SECONDS = 900


def main(path: str, count: int) -> int:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    listener.settimeout(CONNECTION_SECONDS)
    board, _ = listener.accept()
    board.settimeout(None)
    pulled = None
    times: dict[str, list[float]] = {"v": [], "k": []}
    while byte := board.recv(1):
        letter, now = byte.decode("ascii", "replace"), time.monotonic()
        if letter == "e":
            pulled = now
        elif letter in times and pulled is not None:
            times[letter].append((now - pulled) * 1_000)
    good = True
    for letter, words in (("v", "valves off"), ("k", "keys gone")):
        heard = sorted(times[letter])
        largest = heard[-1] if heard else float("inf")
        print(f"outside, from the pull: {words} {len(heard)} times of {count}, after at most {largest:.1f} ms", flush=True)
        good = good and len(heard) == count
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
