"""How large a run is: by default it takes a few minutes on two cores."""

import argparse
import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of the benches; each is an argument of the same name."""

    #: Rounds in which every variant is measured once.
    rounds: int = 5
    #: Seconds of load a variant and round.
    seconds: float = 3.0
    #: Connections of the load generator.
    connections: int = 16
    #: Rows of the directory's table.
    rows: int = 1_000_000
    #: Owners kept in memory.
    known: int = 1_000_000
    #: Clusters of the xDS bench, five a pod.
    clusters: int = 5_000
    #: The most servers of the bench of lists' memory, a thousand a pod.
    servers: int = 100_000
    #: Requests of the bench of correctness.
    requests: int = 1_000_000
    #: Whether they come over HTTP/2, and with TLS.
    http2: bool = False
    tls: bool = False
    #: A PostgreSQL server on which a database may be made and dropped; empty: SQLite only.
    postgresql: str = ""

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Let every size be given."""
        for field in dataclasses.fields(cls):
            if field.type is bool:
                parser.add_argument(f"--{field.name}", action="store_true")
                continue
            parser.add_argument(
                f"--{field.name}", type=type(field.default), default=field.default, metavar="N"
            )

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Scale":
        """Read the arguments."""
        return cls(
            **{field.name: getattr(options, field.name) for field in dataclasses.fields(cls)}
        )
