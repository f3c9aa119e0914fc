"""The registry as a worker has it: the view it was last shown."""

from types import MappingProxyType

from control_plane.pods.view import Names, OwnNames, View
from control_plane.workers.notices import Changed, Shown


class Mirror:
    """Holds the view that the control plane has."""

    def __init__(self) -> None:
        """Start with no pods."""
        #: Said by every view that is shown after it is set.
        self.names: Names = OwnNames()
        self.view = View()
        self._shown = Shown.of(self.view)

    def change(self, changed: Changed) -> None:
        """Take in what is new of the view."""
        self.show(self._shown.after(changed))

    def show(self, shown: Shown) -> None:
        """Take a view in place of the one before."""
        self._shown = shown
        facts = MappingProxyType(dict(shown.facts))
        self.view = View(shown.fleet, facts, shown.behind, self.names)

    def path_prefix(self, pod: str, service: str) -> str | None:
        """Give what stands before the version in a service's paths inside a pod."""
        endpoint = self.view.endpoint(pod, service)
        return endpoint.path if endpoint else None
