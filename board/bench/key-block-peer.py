"""Times psec: key-block-peer.py wrap|unwrap TRANSPORT KEY BLOCK COUNT writes a line for each round, its nanoseconds and the block
that was made or the key that came out. What is wrapped has the header of BLOCK."""

import sys
import time

from psec import tr31

work, transport, key, block, count = sys.argv[1:]
transport, key = bytes.fromhex(transport), bytes.fromhex(key)
for _ in range(int(count)):
    header = tr31.Header()
    header.load(block)
    start = time.perf_counter_ns()
    if work == "wrap":
        answer = tr31.wrap(transport, header, key)
    else:
        answer = tr31.unwrap(transport, block)[1].hex().upper()
    print(time.perf_counter_ns() - start, answer)
