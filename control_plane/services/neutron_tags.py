"""The rows of tags, which hang below many of Neutron's resources."""

from control_plane.services.operation import Operation, broadcast, route, single


def tags(path: str) -> tuple[Operation, ...]:
    """Make the rows of the tags of what one pod owns."""
    return (
        route("GET POST PUT DELETE", f"{path}/tags"),
        route("GET PUT DELETE", f"{path}/tags/{{tag}}"),
    )


def replicated_tags(path: str) -> tuple[Operation, ...]:
    """Make the rows of the tags of what should be in all pods and for now is in one."""
    return (
        single("GET", f"{path}/tags"),
        single("GET", f"{path}/tags/{{tag}}"),
        broadcast("POST PUT DELETE", f"{path}/tags", handler="route"),
        broadcast("PUT DELETE", f"{path}/tags/{{tag}}", handler="route"),
    )
