"""Writes the held-out set of `cargo xtask bench detect`: texts with values by published rules.

usage: python held_out > rows

Out: an object a line, with `group` (value, near, key, none), `frame`, `text`, and for what stands in
it `class`, `start` and `end` in characters. The same texts in every run.
"""

import json
import random

import frames
import keys
import near
from kinds import KINDS

SEED = 20270104
# Rounds over all frames: for values, near misses and keys.
ROUNDS, ROUNDS_NEAR, ROUNDS_KEYS = 1, 2, 2


def write(group, frame, text, name=None, start=0, end=0):
    row = {"group": group, "frame": frame, "class": name, "text": text, "start": start, "end": end}
    print(json.dumps(row))


def main():
    # Each kind draws from a source of its own, so that a new kind leaves the others as they are.
    for kind in KINDS:
        r = random.Random(f"{SEED} {kind.name} {kind.names[0]}")
        for frame, text, start, end in frames.of(kind, r, ROUNDS):
            write("value", frame, text, kind.name, start, end)
    r = random.Random(f"{SEED} near")
    for what, text in near.all_of(KINDS, r, ROUNDS_NEAR):
        write("near", what, text)
    r = random.Random(f"{SEED} keys")
    for provider, frame, text, start, end in keys.with_keys(r, ROUNDS_KEYS):
        write("key", frame, text, provider, start, end)
    for text in keys.without(r, ROUNDS_KEYS):
        write("none", "no secret", text)


main()
