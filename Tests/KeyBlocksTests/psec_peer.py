"""Wraps and unwraps key blocks with psec, a line at a time: "wrap TRANSPORT HEADER KEY LABEL" answers a block, "unwrap TRANSPORT BLOCK"
answers key and label. HEADER is version, usage, algorithm, mode, key version and exportability in one word."""

import sys

from psec import tr31

for line in sys.stdin:
    words = line.split()
    if words[0] == "wrap":
        fields = words[2]
        header = tr31.Header(fields[0], fields[1:3], fields[3], fields[4], fields[5:7], fields[7])
        header.blocks["LB"] = words[4]
        print(tr31.wrap(bytes.fromhex(words[1]), header, bytes.fromhex(words[3])), flush=True)
    else:
        header, key = tr31.unwrap(bytes.fromhex(words[1]), words[2])
        print(key.hex().upper(), header.blocks["LB"], flush=True)
