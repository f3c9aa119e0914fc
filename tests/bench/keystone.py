"""A stand-in for Keystone: gives a token to anyone and knows every token it is asked about.

python -m tests.bench.keystone PORT
"""

import sys

from aiohttp import web

#: The one token of an administrator; every other is a user of the project of its name.
ADMIN = "admin"


def _token(name: str) -> dict[str, object]:
    roles = ("admin", "member") if name == ADMIN else ("member",)
    domain = {"id": "default", "name": "Default"}
    return {
        "token": {
            "methods": ["password"],
            "user": {"id": f"user-{name}", "name": name, "domain": domain},
            "project": {"id": f"project-{name}", "name": name, "domain": domain},
            "roles": [{"id": role, "name": role} for role in roles],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "catalog": [],
        }
    }


async def _issue(_: web.Request) -> web.Response:
    return web.json_response(_token(ADMIN), status=201, headers={"X-Subject-Token": ADMIN})


async def _validate(request: web.Request) -> web.Response:
    return web.json_response(_token(request.headers["X-Subject-Token"]))


def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/v3/auth/tokens", _issue)
    app.router.add_get("/v3/auth/tokens", _validate)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
