"""Glance's rows for schemas and metadata definitions, whose keys are names callers choose."""

from control_plane.services.operation import Operation, aggregate, broadcast, single, static

_NAMESPACE = "/metadefs/namespaces/{namespace}"

_SCHEMAS = tuple(
    static("GET", f"/schemas/{name}", handler="single")
    for name in (
        "image",
        "images",
        "member",
        "members",
        "task",
        "tasks",
        "metadefs/namespace",
        "metadefs/namespaces",
        "metadefs/resource_type",
        "metadefs/resource_types",
        "metadefs/property",
        "metadefs/properties",
        "metadefs/object",
        "metadefs/objects",
        "metadefs/tag",
        "metadefs/tags",
    )
)

OPERATIONS: tuple[Operation, ...] = (
    *_SCHEMAS,
    aggregate("GET", "/metadefs/resource_types", "resource_type"),
    aggregate("GET", "/metadefs/namespaces", "namespace"),
    broadcast("POST", "/metadefs/namespaces", answer="namespace", creates=True),
    single("GET", _NAMESPACE),
    single("GET", f"{_NAMESPACE}/resource_types"),
    single("GET", f"{_NAMESPACE}/properties"),
    single("GET", f"{_NAMESPACE}/properties/{{property}}"),
    single("GET", f"{_NAMESPACE}/objects"),
    single("GET", f"{_NAMESPACE}/objects/{{object}}"),
    single("GET", f"{_NAMESPACE}/tags"),
    single("GET", f"{_NAMESPACE}/tags/{{tag}}"),
    broadcast("PUT DELETE", _NAMESPACE),
    broadcast("POST", f"{_NAMESPACE}/resource_types"),
    broadcast("DELETE", f"{_NAMESPACE}/resource_types/{{resource_type}}"),
    broadcast("POST DELETE", f"{_NAMESPACE}/properties"),
    broadcast("PUT DELETE", f"{_NAMESPACE}/properties/{{property}}"),
    broadcast("POST DELETE", f"{_NAMESPACE}/objects"),
    broadcast("PUT DELETE", f"{_NAMESPACE}/objects/{{object}}"),
    broadcast("POST DELETE", f"{_NAMESPACE}/tags"),
    broadcast("POST PUT DELETE", f"{_NAMESPACE}/tags/{{tag}}"),
)
