"""Computed: answers made of what all pods say, one noun a file."""

from control_plane.handlers.computed.audit import audit
from control_plane.handlers.computed.limits import limits
from control_plane.handlers.computed.quotas import quotas
from control_plane.handlers.computed.resource_filters import resource_filters
from control_plane.handlers.computed.statistics import statistics
from control_plane.handlers.computed.summary import summary
from control_plane.handlers.computed.usage import usage
from control_plane.handlers.computed.zones import zones

__all__ = [
    "audit",
    "limits",
    "quotas",
    "resource_filters",
    "statistics",
    "summary",
    "usage",
    "zones",
]
