"""What is done with a request: one handler a kind of operation.

A handler takes a `Call` and returns a decision: forward it to a pod, or answer it. It knows no
service by name; what differs between services stands in the tables.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from control_plane.handlers.action import action
from control_plane.handlers.aggregate import aggregate
from control_plane.handlers.broadcast import broadcast
from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed import (
    audit,
    limits,
    quotas,
    resource_filters,
    statistics,
    summary,
    usage,
    zones,
)
from control_plane.handlers.copies import copies
from control_plane.handlers.decision import Decision
from control_plane.handlers.events import events
from control_plane.handlers.group import group
from control_plane.handlers.local import local
from control_plane.handlers.pattern import pattern
from control_plane.handlers.route import route
from control_plane.handlers.schedule import schedule
from control_plane.handlers.seek import seek
from control_plane.handlers.single import single
from control_plane.handlers.static import gone, versions
from control_plane.handlers.together import together

Handler = Callable[[Cloud, Call], Awaitable[Decision]]

#: Handlers by the name a row of a table gives.
HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "action": action,
        "aggregate": aggregate,
        "audit": audit,
        "broadcast": broadcast,
        "copies": copies,
        "events": events,
        "gone": gone,
        "group": group,
        "limits": limits,
        "local": local,
        "pattern": pattern,
        "quotas": quotas,
        "resource_filters": resource_filters,
        "route": route,
        "schedule": schedule,
        "seek": seek,
        "single": single,
        "statistics": statistics,
        "summary": summary,
        "together": together,
        "usage": usage,
        "versions": versions,
        "zones": zones,
    }
)

__all__ = ["HANDLERS", "Call", "Cloud", "Decision", "Handler"]
