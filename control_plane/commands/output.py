"""How commands show what they found: a table for people, JSON and YAML for programs."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

Function = TypeVar("Function", bound=Callable[..., Any])


def output_option(*forms: str) -> Callable[[Function], Function]:
    """Give a command `-o`, the first form being the default."""
    return click.option(
        "-o", "--output", type=click.Choice(forms), default=forms[0], show_default=True
    )


def plain(message: Message) -> dict[str, Any]:
    """Make what JSON and YAML can write of a message, by the field names of the .proto."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def write_document(content: object, form: str) -> None:
    """Write JSON or YAML."""
    if form == "json":
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        click.echo(text, nl=False)


def write_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write columns under their heads; an empty cell is a dash."""
    cells = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("   ".join(padded).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    # A table has one line a row, whatever a reason or a name holds.
    return " ".join(str(value).split()) or "-"
