"""A copy: one pod's own of something that users have once, under the id its pod invented."""

from dataclasses import dataclass

#: Stands where a pod's name would for the users' own: its id is the one users see.
USERS = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a pod calls a thing: `pod_id` in the pod, `user_id` to users, and the name it has."""

    resource: str
    pod: str
    pod_id: str
    user_id: str
    name: str
