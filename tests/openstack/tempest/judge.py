"""The same tests at a pod and at the gateway in front of two: what is lost on the way.

The straight run is kept below the bed's folder and used again while pods, tests and configuration
are the same; so is the last one through the gateway, to be looked at.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.demo.product import Product
from tests.openstack import bed, health, installation
from tests.openstack.client import send
from tests.openstack.pod import Pod
from tests.openstack.progress import say
from tests.openstack.settings import Settings
from tests.openstack.tempest import comparison


class Trial(Protocol):
    """Tests that can be run at any region of the bed."""

    @property
    def results(self) -> Path:
        """The folder of the results."""

    def facts(self, region: str) -> tuple[str, ...]:
        """Give what makes two runs at a region the same."""

    def run(self, region: str, out: Path) -> None:
        """Run it at a region and write the result to a file."""


def prepare(settings: Settings) -> None:
    """Have two pods that can be used."""
    pods = bed.present(settings)[:2]
    if len(pods) < 2 or not health.healthy(pods):
        installation.install(settings)
        bed.up(settings, 2)


def straight(settings: Settings, trial: Trial, *, again: bool) -> Path:
    """Run it at the first pod, or take the result of the same tests at the same pod."""
    region = Pod(settings, 1).name
    digest = hashlib.sha256("\0".join(trial.facts(region)).encode()).hexdigest()[:12]
    file = trial.results / f"{region}-{digest}.txt"
    if file.exists() and not again:
        say(f"the straight run is known: {file}")
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    # A run that was interrupted must not be taken for a result.
    draft = file.with_suffix(".part")
    trial.run(region, draft)
    return draft.rename(file)


def through(settings: Settings, trial: Trial) -> Path:
    """Run it through the gateway; the result of the last run is kept."""
    file = trial.results / f"{settings.user_region}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    with gateway(settings):
        trial.run(settings.user_region, file)
    return file


def judge(settings: Settings, trial: Trial, known: Mapping[str, str], *, again: bool) -> int:
    """Run everything twice and print what differs; 1 when anything was lost."""
    base = straight(settings, trial, again=again)
    other = through(settings, trial)
    found = comparison.compare(comparison.read(base), comparison.read(other), known)
    status = comparison.report(found)
    print(f"{len(found.passed)} passed, {len(found.lost)} failed")
    return status


@contextmanager
def gateway(settings: Settings) -> Iterator[None]:
    """Have a gateway at the user region's address: the one that is there, or one of our own."""
    try:
        send("GET", f"{settings.gateway}/compute/", timeout=10)
    except OSError:
        pass
    else:
        say(f"the gateway at {settings.gateway} is used")
        yield
        return
    product = Product(settings)
    product.forget()
    product.start()
    try:
        product.wait()
        print(product.apply(), end="")
        say(f"a gateway is ready at {settings.gateway}; its log is {product.log}")
        yield
    finally:
        product.stop()
