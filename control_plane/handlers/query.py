"""The query of a request as one pod takes it: filters by host in the pod's own words.

The filters are those of the row's `hosts` that begin with `?`.
"""

from urllib.parse import urlencode

from control_plane.handlers.call import Call
from control_plane.model.host import parse_host
from control_plane.model.pod import Pod


def hosts_in_query(call: Call) -> list[str]:
    """Read the hosts that filters name, as the client wrote them."""
    places = _places(call)
    return [value for key, value in call.parameters if key in places and value]


def query_for(call: Call, pod: Pod) -> str | None:
    """Write the query for one pod; None when it names a host of another pod."""
    if not hosts_in_query(call):
        return call.query
    places = _places(call)
    written = []
    for key, value in call.parameters:
        word = value
        if key in places:
            named, word = parse_host(call.view.fleet, value)
            if named is not None and named.name != pod.name:
                return None
        written.append((key, word))
    return urlencode(written)


def _places(call: Call) -> frozenset[str]:
    return frozenset(path[1:] for path in call.operation.hosts if path.startswith("?"))
