"""How many items a pod is asked for at once.

Too few, and pods are asked again, one answer after the other; too many, and items are carried,
held and read for nothing.
"""

import math

#: At most: what Nova gives, and what of one pod is held.
BATCH = 1000

#: So many come from one reading of each of a pod's databases: for more Nova reads a cell in parts
#: (a share of the limit, a hundred at least) and goes on behind markers of its own.
AT_ONCE = 100

#: Of what is dealt to pods by chance, a pod has so many standard deviations more than its share
#: once in some thousands of lists.
_DEVIATIONS = 3.5
#: A pod that has used its share up has more than the others, and nobody knows how much more.
_GROWTH = 4


def share(wanted: int, pods: int) -> int:
    """Say what each of several pods is asked for first, of a page that all fill together."""
    mean = wanted / max(pods, 1)
    enough = math.ceil(mean + _DEVIATIONS * math.sqrt(mean)) + 1
    return min(wanted, enough, BATCH)


def further(last: int, wanted: int) -> int:
    """Say what a pod is asked for after it gave `last`, when `wanted` are still missing.

    None may be missing when things that several pods have were left out: what is wanted then is
    not known.
    """
    more = min(last * _GROWTH, BATCH)
    return min(more, wanted) if wanted > 0 else more
