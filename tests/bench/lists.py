"""How long a list over all pods takes, beside each pod's own time for its part.

    python -m tests.bench.lists --gateway http://127.0.0.1:8080 --pod http://…:15174 --pod http://…

The requests are interleaved, so that a noisy machine is noisy for all. Prints medians in
milliseconds and the gateway's time as a ratio to the slowest pod's.
"""

import argparse
import http.client
import json
import statistics
import sys
import time
import urllib.request
from urllib.parse import urlsplit


class Target:
    """One place a list is asked of, over one kept-alive connection."""

    def __init__(self, name: str, url: str, path: str, token: str) -> None:
        """Prepare; `path` stands behind the URL's own path."""
        parts = urlsplit(url)
        self.name = name
        self.milliseconds: list[float] = []
        self.items = 0
        self._path = f"{parts.path.rstrip('/')}{path}"
        self._headers = {"X-Auth-Token": token, "Accept": "application/json"}
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)

    def ask(self) -> None:
        """Ask once and note the time to the last byte."""
        start = time.perf_counter()
        self._connection.request("GET", self._path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        self.milliseconds.append((time.perf_counter() - start) * 1000)
        if answer.status != http.HTTPStatus.OK:
            message = f"{self.name} answered {answer.status}: {body[:200]!r}"
            raise SystemExit(message)
        self.items = max(len(value) for value in json.loads(body).values())

    @property
    def median(self) -> float:
        """The median time, milliseconds."""
        return statistics.median(self.milliseconds)


def token(auth_url: str, user: str, password: str, project: str) -> str:
    """Get a token from Keystone."""
    domain = {"id": "default"}
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain}},
        }
    }
    request = urllib.request.Request(  # the operator's own Keystone
        f"{auth_url}/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return str(answer.headers["X-Subject-Token"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lists", description=__doc__)
    parser.add_argument("--gateway", default="http://127.0.0.1:8080/compute")
    parser.add_argument("--pod", action="append", required=True, help="a pod's root, repeatable")
    parser.add_argument("--path", default="/v2.1/servers/detail")
    parser.add_argument("--auth-url", default="http://127.0.0.1:15000/v3")
    parser.add_argument("--user", default="demo")
    parser.add_argument("--password", default="labsecret")
    parser.add_argument("--project", default="demo")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    secret = token(options.auth_url, options.user, options.password, options.project)
    pods = [
        Target(f"pod {number}", url, options.path, secret)
        for number, url in enumerate(options.pod, 1)
    ]
    gateway = Target("gateway", options.gateway, options.path, secret)
    targets = [*pods, gateway]
    for number in range(options.rounds + 3):
        for target in targets:
            target.ask()
        if number < 3:  # the first rounds warm caches up
            for target in targets:
                target.milliseconds.clear()
    for target in targets:
        low, high = min(target.milliseconds), max(target.milliseconds)
        sys.stdout.write(
            f"{target.name:<10} {target.items:>5} items  median {target.median:8.1f} ms"
            f"  (from {low:.1f} to {high:.1f})\n"
        )
    slowest = max(pod.median for pod in pods)
    sys.stdout.write(f"gateway / slowest pod: {gateway.median / slowest:.2f}\n")


if __name__ == "__main__":
    main()
