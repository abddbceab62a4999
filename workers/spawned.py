"""The program of a process that is spawned; see spawning.py, which starts it.

Run by its path: before it has read where modules are found, it imports none of flow's.
"""

from __future__ import annotations

import pickle
import sys


def main() -> None:
    """Read the letter whose descriptor is the argument, and be what it says."""
    with open(int(sys.argv[1]), "rb") as letter:  # noqa: PTH123 - a descriptor
        sys.path[:] = pickle.load(letter)  # noqa: S301 - our own supervisor wrote it
        from flow.workers import spawning  # noqa: PLC0415 - it can be found only now

        spawning.begin(letter)


if __name__ == "__main__":
    main()
