"""Images that a pod makes: who has them is remembered, and no pod is asked."""

from datetime import UTC, datetime, timedelta

import pytest

from control_plane.directory.holders import ALONE
from control_plane.model.owner import Owner
from control_plane.model.pod import Pod
from control_plane.pods.client import PodRequest
from tests.processor.envoy import Envoy, Said

SERVER = "5a3e9d0c-6c2b-4a57-9f3e-000000000001"
VOLUME = "5a3e9d0c-6c2b-4a57-9f3e-000000000002"
IMAGE = "5a3e9d0c-6c2b-4a57-9f3e-00000000000a"
ON_SERVER = f"/compute/v2.1/servers/{SERVER}/action"
ON_VOLUME = f"/volume/v3/volumes/{VOLUME}/action"
MADE = {"createImage": {"name": "snap"}}
IMAGES = "/image/v2/images"


def imaged(*pods: str) -> Envoy:
    """Make an Envoy before pods of which some have the image; the rest is in the second."""

    def script(pod: Pod, _: PodRequest) -> tuple[int, object]:
        return (200, {"id": IMAGE}) if pod.name in pods else (404, {})

    envoy = Envoy(script)
    for owner in (
        Owner(SERVER, "server", "Pod2", "a1b2"),
        Owner(VOLUME, "volume", "Pod2", "a1b2"),
    ):
        envoy.store.rows[owner.id] = owner
    return envoy


def recorded(age: timedelta, *pods: str) -> Envoy:
    """Make one that knows since when the second pod has the image."""
    envoy = imaged(*pods)
    made = datetime.now(UTC) - age
    envoy.store.rows[IMAGE] = Owner(IMAGE, "image", "Pod2", "a1b2", made)
    return envoy


async def create(envoy: Envoy, **fields: object) -> Said:
    body = {"server": {"name": "n", "imageRef": IMAGE, **fields}}
    return await envoy.exchange("POST", "/compute/v2.1/servers", body)


async def settle(envoy: Envoy) -> None:
    """Wait until the pods have been asked beside a record, and forget what was kept meanwhile."""
    while envoy.cloud.holders.comparing:
        await envoy.cloud.holders.comparing.pop()
    envoy.cloud.holders.drop("image", IMAGE)


@pytest.mark.parametrize(
    ("path", "body", "answer", "location"),
    [
        (ON_SERVER, MADE, None, f"http://glance.pod2/v2/images/{IMAGE}"),
        (ON_SERVER, MADE, {"image_id": IMAGE}, ""),
        (ON_SERVER, {"createBackup": {"name": "b"}}, None, f"http://pod/images/{IMAGE}"),
        (ON_SERVER, {"createBackup": {"name": "b"}}, {"image_id": IMAGE}, ""),
        (
            ON_VOLUME,
            {"os-volume_upload_image": {"image_name": "v"}},
            {"os-volume_upload_image": {"id": VOLUME, "image_id": IMAGE}},
            "",
        ),
    ],
)
async def test_a_create_with_an_image_a_pod_has_made_goes_there_unasked(
    path: str, body: object, answer: object, location: str
) -> None:
    envoy = imaged()
    await envoy.exchange("POST", path, body, (202, answer), location=location)

    said = await create(envoy)

    assert said.cluster == "Pod2/compute"
    assert envoy.pods.asked == []
    assert (await envoy.exchange("GET", f"{IMAGES}/{IMAGE}")).cluster == "Pod2/image"
    assert envoy.pods.asked == []


@pytest.mark.parametrize("status", [403, 409, 500])
async def test_an_image_that_was_refused_is_in_no_pod(status: int) -> None:
    envoy = imaged()

    await envoy.exchange("POST", ON_SERVER, MADE, (status, {"image_id": IMAGE}))

    assert IMAGE not in envoy.store.rows


async def test_a_rebuild_with_such_an_image_asks_nobody() -> None:
    envoy = recorded(timedelta())

    said = await envoy.exchange("POST", ON_SERVER, {"rebuild": {"imageRef": IMAGE}})

    assert said.cluster == "Pod2/compute"
    assert envoy.pods.asked == []


async def test_a_new_image_of_glance_is_remembered_too() -> None:
    envoy = imaged()
    said = await envoy.exchange("POST", IMAGES, {"name": "i"}, (201, {"id": IMAGE}))

    again = await envoy.exchange("PUT", f"{IMAGES}/{IMAGE}/file")

    assert again.cluster == said.cluster
    assert envoy.pods.asked == []


async def test_an_image_under_a_chosen_id_is_looked_for_in_all_pods() -> None:
    envoy = recorded(timedelta(), "Pod1", "Pod2")
    await envoy.exchange("POST", IMAGES, {"id": IMAGE}, (201, {"id": IMAGE}))

    said = await create(envoy, availability_zone="az1")

    assert said.cluster == "Pod1/compute"


async def test_a_deleted_image_is_looked_for_in_all_pods() -> None:
    envoy = recorded(timedelta(), "Pod1")
    gone = await envoy.exchange("DELETE", f"{IMAGES}/{IMAGE}", answer=(204, None))

    said = await envoy.exchange("GET", f"{IMAGES}/{IMAGE}")

    assert (gone.cluster, said.cluster) == ("Pod2/image", "Pod1/image")


async def test_an_old_record_is_followed_and_the_pods_are_believed_from_then_on() -> None:
    envoy = recorded(ALONE * 2, "Pod1", "Pod2")
    first = await create(envoy)
    await settle(envoy)

    second = await create(envoy, availability_zone="az1")

    assert (first.cluster, second.cluster) == ("Pod2/compute", "Pod1/compute")


async def test_an_old_record_that_the_pods_agree_with_stays() -> None:
    envoy = recorded(ALONE * 2, "Pod2")
    await create(envoy)
    await settle(envoy)

    said = await create(envoy)

    assert said.cluster == "Pod2/compute"
    assert IMAGE not in envoy.store.deleted


async def test_who_may_not_see_an_image_does_not_spoil_the_record() -> None:
    envoy = recorded(ALONE * 2)
    await create(envoy)

    await settle(envoy)

    assert IMAGE not in envoy.store.deleted
