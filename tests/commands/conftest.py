"""An administration over an empty SQLite database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_plane.database import Store, upgrade
from tests.administration.stand_in import StandIn


@pytest.fixture
async def stand_in(tmp_path: Path) -> AsyncIterator[StandIn]:
    url = f"sqlite:///{tmp_path}/trio2o.db"
    await upgrade(url)
    store = Store.open(url)
    yield StandIn(store)
    await store.close()
