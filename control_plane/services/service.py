"""The type of a service: how it is addressed, how it versions, pages and reports faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

from control_plane.model.microversion import Microversion
from control_plane.services.action import Action
from control_plane.services.operation import Operation, Resource


class FaultForm(StrEnum):
    """The shape of an error body (API guidelines do not unite them)."""

    #: `{"itemNotFound": {"code": 404, "message": "…"}}`
    NAMED = "named"
    #: `{"NeutronError": {"type": "…", "message": "…", "detail": ""}}`
    NEUTRON = "neutron"
    #: An HTML page, as webob writes it for Glance.
    HTML = "html"
    #: `{"errors": [{"status": 404, "title": "…", "detail": "…"}]}`
    ERRORS = "errors"


class LinkForm(StrEnum):
    """How a list says that more follows."""

    #: `{"<plural>_links": [{"rel": "next", "href": "https://…"}]}`
    LINKS = "links"
    #: `"first"` and `"next"` beside the list, relative URLs (Glance).
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class MicroversionHeaders:
    """How a service speaks of microversions.

    `service_type` is the word in `OpenStack-API-Version: compute 2.90`; `legacy` an older header
    that holds the number alone. `foreign_is_error`: a header that names only other services is
    400 (Cinder) rather than absent. `above`: the list of versions above the service heeds the
    header, too (Cinder), rather than not knowing it.
    """

    service_type: str
    default: Microversion
    legacy: str = ""
    foreign_is_error: bool = False
    above: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """A service's rules for pages; `default` None: everything unless `limit` is given.

    `checks_markers`: a pod refuses a marker that it does not know. `follows`: behind the keys of a
    query all keys of the default order are sorted by, in the direction of the first one; otherwise
    the last of them, as it is. `choice` is the parameter that names the fields an item is to have,
    `reverse` the one that asks for the page before a marker: `true` in any case of letters.
    `last_counts`: of a parameter that is given twice, the last value counts, not the first.
    """

    default: int | None
    maximum: int | None
    links: LinkForm
    missing_marker: HTTPStatus
    zero_is_all: bool = False
    checks_markers: bool = True
    follows: bool = False
    choice: str = ""
    reverse: str = ""
    last_counts: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One OpenStack service behind the gateway.

    `prefix` is its path at the gateway; `bare` are path beginnings that belong to it without the
    prefix, because pods build links from the Host header. `catalog_types` are its names in the
    Keystone catalog, best first. `project_segment`: the path may carry a project id behind the
    version. `underscores`: `-` and `_` in collection names are equal; `optional_prefixes` are path
    segments that may be left out (both Neutron).
    """

    name: str
    catalog_types: tuple[str, ...]
    prefix: str
    versions: tuple[str, ...]
    bare: tuple[str, ...]
    fault: FaultForm
    paging: Paging
    resources: Mapping[str, Resource]
    operations: tuple[Operation, ...]
    microversions: MicroversionHeaders | None = None
    project_segment: bool = False
    underscores: bool = False
    #: A slash at the end of a path is nothing; elsewhere an empty segment follows it.
    trailing_slash: bool = False
    optional_prefixes: frozenset[str] = field(default_factory=frozenset)
    #: What is said of a body that is no JSON.
    malformed: str = "The request body is not valid JSON."
    #: Content types that such a body may have beside JSON's, others being 415; None: any.
    media: frozenset[str] | None = None
    #: A path may end with `.json`.
    formats: bool = True
    #: The content type of faults that are JSON.
    fault_type: str = "application/json"
    #: The service's router is Routes: what it does not know is 404 with a page, methods too, it has
    #: no HEAD, and a slash behind a slash is nothing.
    router_pages: bool = False
    #: The headers in which answers name the request.
    request_id_headers: tuple[str, ...] = ("x-openstack-request-id",)
    #: What `POST …/action` can ask for, by the resource the path names first.
    actions: Mapping[str, Mapping[str, Action]] = field(default_factory=dict)
    #: Whether any list may be one pod's, as its rows say.
    has_homes: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look through the rows once."""
        object.__setattr__(self, "has_homes", any(row.home for row in self.operations))

    def path(self, below: str, project_id: str) -> str:
        """Give the path in a pod, from the version on, of what a row's path names."""
        project = f"/{project_id}" if self.project_segment else ""
        version = f"/{self.versions[0]}" if self.versions else ""
        return f"{version}{project}{below}"
