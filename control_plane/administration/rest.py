"""Administration as REST, in the form Trio2o has always had: `/v1.0/pods` and `/v1.0/bindings`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from control_plane.administration.service import Administration
from control_plane.administration.spec import PodSpec
from control_plane.model.binding import Binding
from control_plane.model.errors import (
    Conflict,
    InUse,
    Invalid,
    Missing,
    Refused,
    StoreUnreachable,
)
from control_plane.model.pod import Pod

log = structlog.get_logger()

#: Trio2o's names of a pod's fields.
_POD_FIELDS = {
    "pod_id": "id",
    "pod_name": "name",
    "az_name": "availability_zone",
    "pod_az_name": "pod_availability_zone",
    "dc_name": "data_center",
}
_WRITABLE = {key: field for key, field in _POD_FIELDS.items() if key != "pod_id"}
_BINDING_FILTERS = ("id", "tenant_id", "pod_id")
_PUBLIC = frozenset({"/", "/v1.0"})

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(administration: Administration, auth_url: str) -> web.Application:
    """Build the web application; `auth_url` is told to those who come without a token."""

    @web.middleware
    async def faults(request: web.Request, handler: _Handler) -> web.StreamResponse:
        return await _with_faults(request, handler, auth_url)

    @web.middleware
    async def administrators_only(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path in _PUBLIC:
            return await handler(request)
        caller = await administration.authorize(request.headers.get("X-Auth-Token", ""))
        answer = await handler(request)
        if request.method not in ("GET", "HEAD"):
            # As gRPC says who changed what.
            log.info("administered", user=caller.user_id, method=request.method, path=request.path)
        return answer

    resource = Rest(administration)
    # The first is the outermost: a path with a slash at its end is the path without.
    slashes = web.normalize_path_middleware(append_slash=False, remove_slash=True)
    app = web.Application(middlewares=[faults, slashes, administrators_only])
    app.router.add_get("/", resource.versions)
    app.router.add_get("/v1.0", resource.version)
    app.router.add_get("/v1.0/pods", resource.list_pods)
    app.router.add_post("/v1.0/pods", resource.create_pod)
    app.router.add_get("/v1.0/pods/{id}", resource.show_pod)
    app.router.add_put("/v1.0/pods/{id}", resource.update_pod)
    app.router.add_delete("/v1.0/pods/{id}", resource.delete_pod)
    app.router.add_get("/v1.0/bindings", resource.list_bindings)
    app.router.add_post("/v1.0/bindings", resource.create_binding)
    app.router.add_get("/v1.0/bindings/{id}", resource.show_binding)
    app.router.add_delete("/v1.0/bindings/{id}", resource.delete_binding)
    return app


class Rest:
    """The handlers; a pod is addressed by its id, as Trio2o's clients do."""

    def __init__(self, administration: Administration) -> None:
        """Take the rules."""
        self._administration = administration

    async def versions(self, request: web.Request) -> web.Response:
        """Show the versions there are."""
        link = {"rel": "self", "href": f"{_root(request)}/v1.0/"}
        version = {"id": "v1.0", "status": "CURRENT", "links": [link]}
        return web.json_response({"versions": [version]})

    async def version(self, request: web.Request) -> web.Response:
        """Show what this version has."""
        root = f"{_root(request)}/v1.0"
        links = [{"rel": "self", "href": root}]
        links += [{"rel": name, "href": f"{root}/{name}"} for name in ("pods", "bindings")]
        return web.json_response({"version": "1.0", "links": links})

    async def list_pods(self, request: web.Request) -> web.Response:
        """List pods, those that have the values of the query."""
        pods = [_pod(pod) for pod in await self._administration.pods()]
        return web.json_response({"pods": _filtered(pods, request, tuple(_POD_FIELDS))})

    async def show_pod(self, request: web.Request) -> web.Response:
        """Show one pod."""
        pod = await self._administration.pod_of_id(request.match_info["id"])
        return web.json_response({"pod": _pod(pod)})

    async def create_pod(self, request: web.Request) -> web.Response:
        """Make a pod."""
        values = _texts(await _body(request, "pod"), _WRITABLE)
        spec = PodSpec(**{"name": "", "availability_zone": "", **values})
        return web.json_response({"pod": _pod(await self._administration.create_pod(spec))})

    async def update_pod(self, request: web.Request) -> web.Response:
        """Change the given fields of a pod."""
        present = await self._administration.pod_of_id(request.match_info["id"])
        values = _texts(await _body(request, "pod"), _WRITABLE)
        if values.get("name", present.name) != present.name:
            message = "pod_name cannot be changed"
            raise Invalid(message)
        spec = replace(PodSpec.of(present), **values)
        (applied,) = await self._administration.apply([spec])
        return web.json_response({"pod": _pod(applied.pod)})

    async def delete_pod(self, request: web.Request) -> web.Response:
        """Take a pod out; with `?force=true` also one that owns resources."""
        pod = await self._administration.pod_of_id(request.match_info["id"])
        force = request.query.get("force", "").lower() in ("true", "1", "yes")
        await self._administration.delete_pod(pod.name, force=force)
        return web.json_response({})

    async def list_bindings(self, request: web.Request) -> web.Response:
        """List bindings, those that have the values of the query."""
        bindings = [_binding(binding) for binding in await self._administration.bindings()]
        found = _filtered(bindings, request, _BINDING_FILTERS)
        return web.json_response({"pod_bindings": found})

    async def show_binding(self, request: web.Request) -> web.Response:
        """Show one binding."""
        binding = await self._administration.binding(request.match_info["id"])
        return web.json_response({"pod_binding": _binding(binding)})

    async def create_binding(self, request: web.Request) -> web.Response:
        """Bind a project to a pod in the pod's zone."""
        body = await _body(request, "pod_binding")
        values = _texts(body, {"tenant_id": "tenant_id", "pod_id": "pod_id"})
        tenant_id, pod_id = values.get("tenant_id"), values.get("pod_id")
        if not tenant_id or not pod_id:
            message = "tenant_id and pod_id must not be empty"
            raise Invalid(message)
        try:
            pod = await self._administration.pod_of_id(pod_id)
        except Missing as error:
            raise Invalid(str(error)) from error
        binding = await self._administration.create_binding(tenant_id, pod)
        return web.json_response({"pod_binding": _binding(binding)})

    async def delete_binding(self, request: web.Request) -> web.Response:
        """Take a binding out."""
        await self._administration.delete_binding(request.match_info["id"])
        return web.json_response({})


async def _with_faults(
    request: web.Request, handler: _Handler, auth_url: str
) -> web.StreamResponse:
    """Turn what is raised into Trio2o's error body."""
    headers: Mapping[str, str] = {}
    try:
        return await handler(request)
    except Refused as error:
        status, message, headers = error.status, error.message, error.headers
        if status == HTTPStatus.UNAUTHORIZED:
            headers = {"WWW-Authenticate": f'Keystone uri="{auth_url}"'}
    except Missing as error:
        status, message = HTTPStatus.NOT_FOUND, str(error)
    except (Conflict, InUse) as error:
        status, message = HTTPStatus.CONFLICT, str(error)
    except Invalid as error:
        status, message = HTTPStatus.UNPROCESSABLE_ENTITY, str(error)
    except StoreUnreachable as error:
        log.warning("database_unreachable", reason=str(error))
        status, message = HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be reached."
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        status, message = HTTPStatus(error.status), error.reason
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    except Exception:
        log.exception("administration_failed", method=request.method, path=request.path)
        status, message = HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"
    body = {"error": {"code": status.value, "message": message}}
    return web.json_response(body, status=status, headers=headers)


async def _body(request: web.Request, key: str) -> Mapping[str, Any]:
    try:
        content = await request.json()
    except (ValueError, LookupError, RecursionError) as error:
        # No UTF-8, a charset that nobody knows, a thousand brackets.
        raise web.HTTPBadRequest(reason="The body is not JSON.") from error
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(reason=f"The body has no {key}.")
    return found


def _texts(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Pick the known fields, by the names they have here; others were always ignored."""
    values = {}
    for key, name in names.items():
        value = body.get(key)
        if value is not None:
            if not isinstance(value, str):
                message = f"{key} must be text"
                raise Invalid(message)
            values[name] = value.strip()
    return values


def _filtered(
    items: list[dict[str, Any]], request: web.Request, keys: tuple[str, ...]
) -> list[dict[str, Any]]:
    wanted = {key: request.query.getall(key) for key in keys if key in request.query}
    return [
        item for item in items if all(str(item[key]) in values for key, values in wanted.items())
    ]


def _pod(pod: Pod) -> dict[str, Any]:
    return {key: getattr(pod, name) for key, name in _POD_FIELDS.items()}


def _binding(binding: Binding) -> dict[str, Any]:
    updated_at = binding.updated_at.isoformat() if binding.updated_at else None
    return {
        "id": binding.id,
        "tenant_id": binding.project_id,
        "pod_id": binding.pod_id,
        "created_at": binding.created_at.isoformat(),
        "updated_at": updated_at,
    }


def _root(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"
