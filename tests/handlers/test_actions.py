"""Actions: to the owner, in its words; what needs another pod is refused."""

import pytest

from control_plane.model.owner import Owner
from tests.processor.envoy import Envoy

SERVER = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
VOLUME = "5a3e9d0c-6c2b-4a57-9f3e-000000000002"
OTHER = "5a3e9d0c-6c2b-4a57-9f3e-000000000003"
SNAPSHOT = "5a3e9d0c-6c2b-4a57-9f3e-000000000004"


@pytest.fixture
def envoy() -> Envoy:
    """All but one server are in the second pod."""
    envoy = Envoy()
    for owner in (
        Owner(SERVER, "server", "Pod2", "a1b2"),
        Owner(VOLUME, "volume", "Pod2", "a1b2"),
        Owner(SNAPSHOT, "snapshot", "Pod2", "a1b2"),
        Owner(OTHER, "server", "Pod1", "a1b2"),
    ):
        envoy.store.rows[owner.id] = owner
    return envoy


ON_SERVER = f"/compute/v2.1/servers/{SERVER}/action"
ON_VOLUME = f"/volume/v3/volumes/{VOLUME}/action"


@pytest.mark.parametrize(
    "body",
    [
        {"os-start": None},
        {"reboot": {"type": "SOFT"}},
        {"unheard-of": {"a": 1}},
        {"os-start": None, "os-stop": None},
        b"{no json",
        b"[1]",
        b'"text"',
        {"unshelve": None},
        {"migrate": None},
        {"os-migrateLive": {"host": "compute1"}},
        # Nova kept the action when it gave up the consoles, and refuses it in words of its own.
        {"os-getRDPConsole": {"type": "rdp-html5"}},
        {"rescue": {"rescue_image_ref": "5a3e9d0c-6c2b-4a57-9f3e-0000000000ff"}},
    ],
)
async def test_what_needs_no_translation_goes_on_as_it_is(envoy: Envoy, body: object) -> None:
    said = await envoy.exchange("POST", ON_SERVER, body)

    assert said.cluster == "Pod2/compute"
    assert said.sent is None


async def test_what_was_removed_is_gone(envoy: Envoy) -> None:
    said = await envoy.exchange("POST", ON_SERVER, {"resetNetwork": None})

    assert said.status == 410
    assert said.json["computeFault"]["code"] == 410


@pytest.mark.parametrize(
    ("path", "body", "sent"),
    [
        (
            ON_SERVER,
            {"unshelve": {"availability_zone": "az2", "host": "Pod2~h"}},
            {"unshelve": {"availability_zone": "inner2", "host": "h"}},
        ),
        (
            ON_SERVER,
            {"os-migrateLive": {"host": "Pod2~h", "block_migration": "auto"}},
            {"os-migrateLive": {"host": "h", "block_migration": "auto"}},
        ),
        (ON_SERVER, {"evacuate": {"host": "Pod2~h"}}, {"evacuate": {"host": "h"}}),
        (
            ON_VOLUME,
            {"os-migrate_volume": {"host": "Pod2~h@b#p", "cluster": None}},
            {"os-migrate_volume": {"host": "h@b#p", "cluster": None}},
        ),
    ],
)
async def test_zones_and_hosts_are_said_in_the_pods_words(
    envoy: Envoy, path: str, body: object, sent: object
) -> None:
    said = await envoy.exchange("POST", path, body, token="admin")

    assert said.cluster.startswith("Pod2/")
    assert said.sent == sent


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (ON_SERVER, {"unshelve": {"availability_zone": "az1"}}),
        (ON_SERVER, {"unshelve": {"host": "Pod1~h"}}),
        (ON_SERVER, {"migrate": {"host": "Pod1~h"}}),
        (ON_SERVER, {"os-migrateLive": {"host": "Pod1~h"}}),
        (ON_SERVER, {"evacuate": {"host": "Pod1~h"}}),
        (ON_VOLUME, {"os-migrate_volume": {"host": "Pod1~h@b#p"}}),
        (ON_VOLUME, {"os-migrate_volume": {"cluster": "Pod1~c@b"}}),
        (ON_VOLUME, {"os-attach": {"instance_uuid": OTHER, "mountpoint": "/dev/vdb"}}),
    ],
)
async def test_what_needs_another_pod_is_400_and_names_the_zone_and_no_pod(
    envoy: Envoy, path: str, body: object
) -> None:
    said = await envoy.exchange("POST", path, body, token="admin")

    message = said.json["badRequest"]["message"]
    assert said.status == 400
    assert "az1" in message
    assert "Pod" not in message


async def test_an_action_on_what_no_pod_has_gets_a_pods_404() -> None:
    said = await Envoy().exchange("POST", ON_SERVER, {"os-start": None})

    assert said.facts["decision"] == "nowhere"


@pytest.mark.parametrize(
    ("path", "body", "gone"),
    [
        (ON_SERVER, {"forceDelete": None}, SERVER),
        (ON_VOLUME, {"os-force_delete": {}}, VOLUME),
        (f"/volume/v3/snapshots/{SNAPSHOT}/action", {"os-unmanage": {}}, SNAPSHOT),
    ],
)
async def test_an_end_is_remembered_when_the_pod_agrees(
    envoy: Envoy, path: str, body: object, gone: str
) -> None:
    await envoy.exchange("POST", path, body, answer=(409, {}))
    assert envoy.store.deleted == set()

    await envoy.exchange("POST", path, body, answer=(202, {}))
    assert envoy.store.deleted == {gone}


async def test_other_actions_end_nothing(envoy: Envoy) -> None:
    await envoy.exchange("POST", ON_VOLUME, {"os-extend": {"new_size": 2}}, answer=(202, {}))

    assert envoy.store.deleted == set()


async def test_a_rebuilt_server_is_shown_in_the_users_zone(envoy: Envoy) -> None:
    server = {"id": SERVER, "OS-EXT-AZ:availability_zone": "inner2"}

    said = await envoy.exchange(
        "POST", ON_SERVER, {"rebuild": {"imageRef": "i"}}, answer=(202, {"server": server})
    )

    assert said.shown["server"]["OS-EXT-AZ:availability_zone"] == "az2"
