"""What stands in the body of a write for all pods and is made up on the way."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from control_plane.model.errors import NOT_JSON
from control_plane.pods.client import PodAnswer
from control_plane.replication.write import Write
from control_plane.services.reference import references


def completed(write: Write, home: PodAnswer) -> Write:
    """Put what the first pod made up (a generated key) into the body for the others."""
    if not write.operation.copied or not isinstance(write.body, dict):
        return write
    try:
        answer = msgspec.json.decode(home.body)
    except NOT_JSON:
        return write
    body = msgspec.json.decode(msgspec.json.encode(write.body))
    for path in write.operation.copied:
        value = next(iter(references(answer, path)), None)
        parent, _, name = path.rpartition(".")
        target: Any = body
        for part in parent.split("."):
            target = target[part]
        if value is not None:
            target[name] = value
    return replace(write, body=body, raw=json.dumps(body).encode())


def chosen(write: Write, made_up: Mapping[str, str]) -> Write:
    """Put ids that were made up here into the body where the caller named none."""
    if not isinstance(write.body, dict) or not made_up:
        return write
    body = msgspec.json.decode(msgspec.json.encode(write.body))
    changed = False
    for path, value in made_up.items():
        key, _, name = path.rpartition(".")
        holder = body.get(key)
        if isinstance(holder, dict) and holder.get(name) is None:
            holder[name] = value
            changed = True
    return replace(write, body=body, raw=json.dumps(body).encode()) if changed else write
