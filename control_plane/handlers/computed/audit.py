"""The log of usage audits: counters are added, hosts are of all pods."""

from http import HTTPStatus
from typing import Any

import msgspec

from control_plane.handlers.call import Call
from control_plane.handlers.cloud import Cloud
from control_plane.handlers.computed.documents import Document, documents
from control_plane.handlers.decision import Decision, Reply


async def audit(cloud: Cloud, call: Call) -> Decision:
    """Merge the logs of one period; the pods have the same periods."""
    found, missing = await documents(cloud, call)
    body = {key: _merged(found, key) for key in found[0].body}
    return Reply(HTTPStatus.OK, msgspec.json.encode(body), missing=missing)


def _merged(found: list[Document], key: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for document in found:
        for name, value in document.body.get(key, {}).items():
            shown = (
                document.translation.words.host(value) if isinstance(value, list | dict) else value
            )
            merged[name] = _sum(merged[name], shown) if name in merged else shown
    done, hosts = merged["num_hosts_done"], merged["num_hosts"]
    share = "ALL" if done == hosts else f"{done} of {hosts}"
    # Nova's own words.
    merged["overall_status"] = f"{share} hosts done. {merged['total_errors']} errors."
    return merged


def _sum(held: Any, value: Any) -> Any:
    if isinstance(held, dict):
        return {**held, **value}
    return held if isinstance(held, str) else held + value
