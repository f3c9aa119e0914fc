"""`trio2o get`: list pods, bindings, zones or pending writes."""

from collections.abc import Mapping
from pathlib import Path

import click

from control_plane.commands.client import client_options, connect
from control_plane.commands.output import output_option, plain, write_document, write_table
from control_plane.pb import administration_pb2 as pb

_FORMS = ("table", "wide", "json", "yaml")


@click.group()
def get() -> None:
    """List pods, bindings, zones or pending writes."""


@get.command()
@output_option(*_FORMS)
@client_options
def pods(*, output: str, config: Path | None, server: str | None) -> None:
    """List pods."""
    with connect(config, server) as client:
        found = client.pods()
    if output in ("json", "yaml"):
        write_document({"pods": [plain(pod) for pod in found]}, output)
        return
    heads = ["NAME", "ZONE", "STATE", "WEIGHT", "DATA CENTER"]
    rows: list[list[object]] = [
        [pod.name, pod.availability_zone, pod.state, pod.weight, pod.data_center] for pod in found
    ]
    if output == "wide":
        heads += ["ZONE IN POD", "LABELS", "ENDPOINTS", "ID"]
        for row, pod in zip(rows, found, strict=True):
            row += [pod.pod_availability_zone, _pairs(pod.labels), _pairs(pod.endpoints), pod.id]
    write_table(heads, rows)


@get.command()
@output_option(*_FORMS)
@client_options
def bindings(*, output: str, config: Path | None, server: str | None) -> None:
    """List which pod takes the creates of which project in which zone."""
    with connect(config, server) as client:
        found = client.bindings()
    if output in ("json", "yaml"):
        write_document({"bindings": [plain(binding) for binding in found]}, output)
        return
    heads = ["PROJECT", "ZONE", "POD"]
    rows: list[list[object]] = [
        [binding.project_id, binding.availability_zone, binding.pod] for binding in found
    ]
    if output == "wide":
        heads += ["SINCE", "ID"]
        for row, binding in zip(rows, found, strict=True):
            row += [_since(binding), binding.id]
    write_table(heads, rows)


@get.command()
@output_option(*_FORMS)
@client_options
def zones(*, output: str, config: Path | None, server: str | None) -> None:
    """List the zones users see."""
    with connect(config, server) as client:
        found = client.zones()
    if output in ("json", "yaml"):
        write_document({"zones": [plain(zone) for zone in found]}, output)
        return
    rows = [[zone.name, zone.available, ", ".join(zone.pods)] for zone in found]
    write_table(["NAME", "AVAILABLE", "PODS"], rows)


@get.command()
@click.option("--pod", default="", help="Only of this pod.")
@output_option(*_FORMS)
@client_options
def pending(*, pod: str, output: str, config: Path | None, server: str | None) -> None:
    """List the writes of flavors, types and the like that pods could not be told yet."""
    with connect(config, server) as client:
        found = client.pending(pod)
    if output in ("json", "yaml"):
        write_document({"pending": [plain(write) for write in found]}, output)
        return
    heads = ["ID", "POD", "METHOD", "PATH", "STATE", "TRIES", "REASON"]
    rows: list[list[object]] = [
        [
            write.id,
            write.pod,
            write.method,
            write.path,
            "refused" if write.refused else "doing" if write.doing else "waiting",
            write.attempts,
            write.reason,
        ]
        for write in found
    ]
    if output == "wide":
        heads += ["SUBJECT", "USER", "PROJECT", "SINCE", "NEXT TRY"]
        for row, write in zip(rows, found, strict=True):
            since, due = write.created_at.ToJsonString(), write.due_at.ToJsonString()
            row += [write.subject, write.user_id, write.project_id, since, due]
    write_table(heads, rows)


def _pairs(entries: Mapping[str, str]) -> str:
    return ",".join(f"{key}={entries[key]}" for key in sorted(entries))


def _since(binding: pb.Binding) -> str:
    stamp = binding.updated_at if binding.HasField("updated_at") else binding.created_at
    return str(stamp.ToJsonString())
