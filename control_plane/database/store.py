"""The store: all tables of one database behind one object."""

from typing import Self

from control_plane.database.bindings import BindingTable
from control_plane.database.copies import CopyTable
from control_plane.database.engine import Database, open_engine
from control_plane.database.facts import FactTable
from control_plane.database.fleet import FleetReader
from control_plane.database.intents import IntentTable
from control_plane.database.owners import OwnerTable
from control_plane.database.pods import PodTable
from control_plane.database.presence import PresenceTable
from control_plane.database.shadows import ShadowTable


class Store(
    PodTable,
    BindingTable,
    PresenceTable,
    OwnerTable,
    FactTable,
    CopyTable,
    IntentTable,
    ShadowTable,
):
    """All tables; safe to use from several replicas at once."""

    def __init__(self, database: Database) -> None:
        """Take the database over; `close` closes it."""
        self.database = database
        self.fleet_reader = FleetReader()

    @classmethod
    def open(cls, url: str) -> Self:
        """Make the store of a database (`sqlite:///…`); StartupError for a URL that is none."""
        return cls(Database(open_engine(url)))

    async def close(self) -> None:
        """Close all connections."""
        await self.database.close()
