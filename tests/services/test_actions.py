import re
from collections import Counter
from collections.abc import Mapping

import pytest

from control_plane.services.action import Action
from control_plane.services.catalog import SERVICES
from control_plane.services.operation import Kind
from control_plane.services.server_actions import SERVER_ACTIONS
from control_plane.services.volume_actions import (
    BACKUP_ACTIONS,
    GROUP_ACTIONS,
    SNAPSHOT_ACTIONS,
    VOLUME_ACTIONS,
)

RESOURCES = {name for service in SERVICES for name in service.resources}


def test_server_has_41_actions() -> None:
    counted = Counter(action.kind for action in SERVER_ACTIONS.values())

    assert counted == {Kind.ROUTE: 32, Kind.CROSS: 8, Kind.STATIC: 1}


def test_volume_has_25_actions() -> None:
    counted = Counter(action.kind for action in VOLUME_ACTIONS.values())

    assert counted == {Kind.ROUTE: 22, Kind.CROSS: 3}


@pytest.mark.parametrize(
    "actions",
    [SERVER_ACTIONS, VOLUME_ACTIONS, SNAPSHOT_ACTIONS, BACKUP_ACTIONS, GROUP_ACTIONS],
)
def test_paths_begin_with_the_action(actions: Mapping[str, Action]) -> None:
    for name, action in actions.items():
        for ref in (*action.copies, *action.same_pod):
            assert ref.path.startswith(f"{name}.")
            assert ref.resource in RESOURCES
        assert all(path.startswith(f"{name}.") for path in action.hosts)
        assert not action.zone or action.zone.startswith(f"{name}.")
        assert not action.creates or action.creates in RESOURCES


def test_what_ends_a_resource_is_known() -> None:
    ending = {
        name
        for actions in (
            SERVER_ACTIONS,
            VOLUME_ACTIONS,
            SNAPSHOT_ACTIONS,
            BACKUP_ACTIONS,
            GROUP_ACTIONS,
        )
        for name, action in actions.items()
        if action.ends
    }

    assert ending == {"forceDelete", "os-force_delete", "os-unmanage", "delete"}


def test_actions_are_of_resources_whose_rows_act_on_them() -> None:
    for service in SERVICES:
        acting = {
            parameter
            for row in service.operations
            if row.handler == "action"
            for parameter in re.findall(r"\{(\w+)\}", row.path)
        }
        assert acting == set(service.actions)
