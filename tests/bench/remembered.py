"""Learn owners as the directory does, and print how many MiB that took.

python -m tests.bench.remembered COUNT
"""

import gc
import os
import sys

from control_plane.directory.memory import OwnerMemory
from tests.bench.machine import Process

_PODS = 50


def main() -> None:
    """Learn and print."""
    count = int(sys.argv[1])
    memory = OwnerMemory(generation=count)
    process = Process("here", os.getpid())
    gc.collect()
    before = process.memory
    for number in range(count):
        # Each row of the store brings strings of its own.
        pod = "".join(("Pod", str(number % _PODS)))
        memory.learn(f"{number:08x}-0000-4000-8000-{number:012x}", pod)
    gc.collect()
    assert len(memory) == count
    print(process.memory - before)


if __name__ == "__main__":
    main()
