"""Ids that name their pod, so that whoever reads an answer knows where it should have come from."""


def id_of(pod: int, number: int) -> str:
    """Write the id of a pod's server; tests/load/pod.lua reads it."""
    return f"{number:08x}-{pod:04x}-4000-8000-{number:012x}"


def zone_of(pod: int) -> str:
    """Name the zone of a pod; two share one, so that a create has a choice in it."""
    return f"az{pod // 2}"


def pod_of(known: str) -> int:
    """Read the pod's number."""
    return int(known[9:13], 16)
