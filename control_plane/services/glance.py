"""Glance: the v2 API, as of release 33, one Glance a pod.

A caller may choose an image's id, so that one image can be in several pods; a write goes to all
pods that have the image. Nothing wraps an image in a body. The definitions' rows are in
`glance_definitions.py`.
"""

from http import HTTPStatus
from types import MappingProxyType

from control_plane.services import glance_definitions
from control_plane.services.operation import (
    NOT_YET,
    Operation,
    Resource,
    SortKey,
    aggregate,
    broadcast,
    computed,
    route,
    schedule,
    single,
)
from control_plane.services.service import FaultForm, LinkForm, Paging, Service

_NEWEST = (SortKey("created_at", descending=True), SortKey("id", descending=True))

_RESOURCES = (
    Resource(
        "image",
        "images",
        probe="/images/{id}",
        order=_NEWEST,
        replicated=True,
        schema="/v2/schemas/images",
    ),
    Resource("task", "tasks", probe="/tasks/{id}", order=_NEWEST, schema="/v2/schemas/tasks"),
    Resource("cached_image", "cached_images", identity="image_id"),
    Resource(
        "namespace",
        "namespaces",
        probe="/metadefs/namespaces/{id}",
        identity="namespace",
        order=(SortKey("created_at", descending=True), SortKey("namespace")),
        replicated=True,
        merge_by="namespace",
        schema="/v2/schemas/metadefs/namespaces",
    ),
    Resource(
        "resource_type",
        "resource_types",
        identity="name",
        order=(SortKey("name"),),
        replicated=True,
        merge_by="name",
    ),
)


def _write(methods: str, path: str, answer: str = "") -> Operation:
    """Make the row of a write for all copies of an image, wherever they are."""
    return broadcast(methods, path, handler="copies", answer=answer)


def _fill(methods: str, path: str) -> Operation:
    """Make the row of a write of an image's data, which is never read here: one copy gets it."""
    return broadcast(methods, path, handler="route")


_IMAGES = (
    aggregate("GET", "/images", "image"),
    broadcast("POST", "/images", handler="schedule", answer="image", creates=True),
    single("GET", "/images/{image}", answer="image"),
    _write("PATCH DELETE", "/images/{image}", answer="image"),
    route("GET", "/images/{image}/tasks"),
    _fill("POST", "/images/{image}/import"),
    _fill("PUT", "/images/{image}/stage"),
    _fill("PUT", "/images/{image}/file"),
    single("GET", "/images/{image}/file"),
    _write("POST", "/images/{image}/actions/deactivate"),
    _write("POST", "/images/{image}/actions/reactivate"),
    route("GET POST", "/images/{image}/locations"),
    _write("PUT DELETE", "/images/{image}/tags/{tag}"),
    single("GET", "/images/{image}/members"),
    single("GET", "/images/{image}/members/{member}"),
    _write("POST", "/images/{image}/members"),
    _write("PUT DELETE", "/images/{image}/members/{member}"),
    # A store's name means something only inside a pod.
    route("DELETE", "/stores/{store}/{image}", handler=NOT_YET),
)

_TASKS = (
    aggregate("GET", "/tasks", "task"),
    schedule("POST", "/tasks", answer="task"),
    route("GET DELETE", "/tasks/{task}", answer="task"),
)

_CACHE = (
    aggregate("GET", "/cache", "cached_image", handler=NOT_YET),
    broadcast("DELETE", "/cache"),
    broadcast("PUT DELETE", "/cache/{image}"),
    computed("GET", "/cache/nodes/{image}"),
    broadcast("POST", "/cache/clean"),
    broadcast("POST", "/cache/prune"),
)

_INFO = (
    computed("GET", "/info/import", handler="single"),
    computed("GET", "/info/stores", handler="single"),
    computed("GET", "/info/stores/detail", handler="single"),
    computed("GET", "/info/usage", handler="single"),
)

IMAGE = Service(
    name="image",
    catalog_types=("image",),
    prefix="/image",
    versions=("v2",),
    # `/v2` alone is Nova's.
    bare=(
        "/v2/images",
        "/v2/schemas",
        "/v2/metadefs",
        "/v2/tasks",
        "/v2/stores",
        "/v2/info",
        "/v2/cache",
    ),
    fault=FaultForm.HTML,
    malformed="Malformed JSON in request body.",
    formats=False,
    paging=Paging(25, 1000, LinkForm.RELATIVE, HTTPStatus.BAD_REQUEST),
    resources=MappingProxyType({resource.name: resource for resource in _RESOURCES}),
    operations=(*_IMAGES, *_TASKS, *_CACHE, *_INFO, *glance_definitions.OPERATIONS),
)
