"""Who makes a request, as Keystone says."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """A validated token; the token itself never appears in a repr or a log."""

    user_id: str
    project_id: str
    roles: frozenset[str]
    token: str = field(repr=False)
    #: Seconds since the epoch.
    expires_at: float = 0.0

    @property
    def is_admin(self) -> bool:
        """Whether the token carries the admin role."""
        return "admin" in self.roles
