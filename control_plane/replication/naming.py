"""Which copies are the same thing: pure functions over the rows of the table `copies`.

Copies are one by their name when they are first seen, and by their ids ever after, so that a
thing keeps its id for users when it is renamed. The users' own row holds the id they see: the id
in the first pod that had it.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import NAMESPACE_URL, uuid5

from control_plane.model.copy import USERS, Copy

#: What one pod lists: its ids and the names they have.
Listing = Mapping[str, str]


def matched(
    resource: str,
    known: Sequence[Copy],
    listings: Mapping[str, Listing],
    doubtful: Iterable[tuple[str, str]] = (),
) -> list[Copy]:
    """Bring what is known in line with what pods list, in the order of the listings.

    Pods that are not in `listings` stay as they are known. `doubtful` are (pod, pod's id) that
    were learnt while the pods were being asked: not being listed says nothing about them.
    """
    kept = set(doubtful)
    users = {entry.user_id: entry.name for entry in known if entry.pod == USERS}
    ids: dict[tuple[str, str], tuple[str, str]] = {
        (entry.pod, entry.pod_id): (entry.user_id, entry.name)
        for entry in known
        if entry.pod != USERS
        and (
            entry.pod not in listings
            or entry.pod_id in listings[entry.pod]
            or (entry.pod, entry.pod_id) in kept
        )
    }
    _rename(ids, users, listings)
    by_name = {name: user_id for user_id, name in users.items()}
    having = {(pod, user_id) for (pod, _), (user_id, _) in ids.items()}
    for pod, listing in listings.items():
        for pod_id, name in listing.items():
            if (pod, pod_id) in ids:
                continue
            user_id = by_name.get(name)
            if user_id is None or (pod, user_id) in having:
                user_id = _free_id(resource, pod, pod_id, users)
                users[user_id] = name
                by_name[name] = user_id
            ids[pod, pod_id] = (user_id, name)
            having.add((pod, user_id))
    return _rows(resource, users, ids)


def _free_id(resource: str, pod: str, pod_id: str, users: Mapping[str, str]) -> str:
    """Take the pod's id for users, unless another pod, copied from the same disk, has it too."""
    if pod_id not in users:
        return pod_id
    return str(uuid5(NAMESPACE_URL, f"{resource}/{pod}/{pod_id}"))


def _rename(
    ids: dict[tuple[str, str], tuple[str, str]],
    users: dict[str, str],
    listings: Mapping[str, Listing],
) -> None:
    """Follow the names of what is known: a new thing may have the old name of another."""
    for pod, listing in listings.items():
        for pod_id, name in listing.items():
            held = ids.get((pod, pod_id))
            if held is not None and held[1] != name:
                ids[pod, pod_id] = (held[0], name)
                users[held[0]] = name


def _rows(
    resource: str,
    users: Mapping[str, str],
    ids: Mapping[tuple[str, str], tuple[str, str]],
) -> list[Copy]:
    """Write the rows; a name that stands twice in one place keeps the first."""
    held = {user_id for user_id, _ in ids.values()}
    rows = [Copy(resource, USERS, key, key, name) for key, name in users.items() if key in held]
    rows += [
        Copy(resource, pod, pod_id, user_id, name) for (pod, pod_id), (user_id, name) in ids.items()
    ]
    seen: set[tuple[str, str]] = set()
    found = []
    for row in rows:
        name = row.name if (row.pod, row.name) not in seen else row.pod_id
        seen.add((row.pod, name))
        found.append(Copy(row.resource, row.pod, row.pod_id, row.user_id, name))
    return found
