"""`trio2o operations`: the endpoints of the tables and how each is handled."""

from collections import Counter

import click

from control_plane.commands.output import output_option, write_document, write_table
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Operation


@click.command()
@click.option("--missing", is_flag=True, help="Only those that are answered 501.")
@output_option("table", "json")
def operations(*, missing: bool, output: str) -> None:
    """List the endpoints of all services and how each is handled, and count them."""
    rows = [(service.name, row) for service in SERVICES for row in service.operations]
    # An endpoint is one method on one path; a row may hold several.
    all_of = Counter({service.name: 0 for service in SERVICES})
    handled_of: Counter[str] = Counter()
    for service, row in rows:
        all_of[service] += len(row.methods)
        handled_of[service] += len(row.methods) if row.handled else 0
    shown = [(service, row) for service, row in rows if not (missing and row.handled)]
    if output == "json":
        counts = {
            service: {"endpoints": count, "handled": handled_of[service]}
            for service, count in all_of.items()
        }
        content = {"operations": [_plain(*entry) for entry in shown], "summary": counts}
        write_document(content, output)
        return
    write_table(
        ["SERVICE", "METHODS", "PATH", "CLASS", "HANDLER", "HANDLED"],
        [
            [service, " ".join(row.methods), row.path, row.kind.value, row.handler, row.handled]
            for service, row in shown
        ],
    )
    click.echo()
    totals: list[list[object]] = [
        [service, count, handled_of[service]] for service, count in all_of.items()
    ]
    totals.append(["all", all_of.total(), handled_of.total()])
    write_table(["SERVICE", "ENDPOINTS", "HANDLED"], totals)


def _plain(service: str, row: Operation) -> dict[str, object]:
    return {
        "service": service,
        "methods": list(row.methods),
        "path": row.path,
        "class": row.kind.value,
        "handler": row.handler,
        "handled": row.handled,
    }
