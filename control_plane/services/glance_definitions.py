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


def _write(methods: str, path: str) -> Operation:
    """Make the row of a write for all copies."""
    return broadcast(methods, path, handler="broadcast")


OPERATIONS: tuple[Operation, ...] = (
    *_SCHEMAS,
    aggregate("GET", "/metadefs/resource_types", "resource_type"),
    aggregate("GET", "/metadefs/namespaces", "namespace"),
    broadcast(
        "POST", "/metadefs/namespaces", handler="broadcast", answer="namespace", creates=True
    ),
    single("GET", _NAMESPACE),
    single("GET", f"{_NAMESPACE}/resource_types"),
    single("GET", f"{_NAMESPACE}/properties"),
    single("GET", f"{_NAMESPACE}/properties/{{property}}"),
    single("GET", f"{_NAMESPACE}/objects"),
    single("GET", f"{_NAMESPACE}/objects/{{object}}"),
    single("GET", f"{_NAMESPACE}/tags"),
    single("GET", f"{_NAMESPACE}/tags/{{tag}}"),
    _write("PUT DELETE", _NAMESPACE),
    _write("POST", f"{_NAMESPACE}/resource_types"),
    _write("DELETE", f"{_NAMESPACE}/resource_types/{{resource_type}}"),
    _write("POST DELETE", f"{_NAMESPACE}/properties"),
    _write("PUT DELETE", f"{_NAMESPACE}/properties/{{property}}"),
    _write("POST DELETE", f"{_NAMESPACE}/objects"),
    _write("PUT DELETE", f"{_NAMESPACE}/objects/{{object}}"),
    _write("POST DELETE", f"{_NAMESPACE}/tags"),
    _write("POST PUT DELETE", f"{_NAMESPACE}/tags/{{tag}}"),
)
