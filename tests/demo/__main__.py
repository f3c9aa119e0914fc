"""The demo's command: `python -m tests.demo [up|walk|down]`; `up` is everything from nothing."""

import argparse
import subprocess
import sys

from tests.demo import faults, servers, volumes
from tests.demo.cloud import Cloud
from tests.demo.product import ROOT, Product
from tests.demo.walk import NotProved, Walk
from tests.openstack import bed, files, installation
from tests.openstack.progress import BedError, complain, say
from tests.openstack.settings import Settings


def _up(settings: Settings) -> None:
    if not (ROOT / ".venv/bin/trio2o").exists():
        subprocess.run(["make", "-C", str(ROOT), "venv"], check=True)
    installation.install(settings)
    bed.up(settings, 2)
    product = Product(settings)
    product.stop()
    product.forget()
    product.start()
    say(f"trio2o starts; its log is {product.log}")
    product.wait()
    print(product.apply(), end="")
    say("the gateway is ready and knows its pods")


def _walk(settings: Settings) -> None:
    walk = Walk(colours=sys.stdout.isatty())
    cloud = Cloud(settings, bed.present(settings), walk)
    cloud.sweep()
    servers.zones(cloud)
    servers.keypair(cloud)
    made = servers.creates(cloud)
    servers.lists(cloud, made)
    servers.life(cloud, made)
    disks = volumes.creates(cloud)
    volumes.attachments(cloud, disks)
    volumes.snapshot(cloud, disks)
    volumes.boot(cloud)
    servers.two_at_once(cloud)
    faults.wrong_zone(cloud)
    faults.bad_token(cloud)
    faults.lost_pod(cloud)
    servers.delete_all(cloud)
    volumes.delete_all(cloud)
    with walk.step("What the operator sees"):
        walk.ran("trio2o get pods")
        table = Product(settings).command("get", "pods")
        print("".join(f"      {line}\n" for line in table.splitlines()), end="")
        named = all(pod.name in table and pod.zone in table for pod in cloud.pods)
        walk.prove("both pods with their zones", holds=named, found=table)
    clouds = files.clouds_file(settings)
    print(f"\n{walk.summary()}")
    print(
        "The cloud is up. Use it:  "
        f"OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=lab-demo {settings.bin}/openstack server list"
    )
    print("Stop it:  make demo-down")


def _down(settings: Settings) -> None:
    Product(settings).stop()
    bed.down(settings, [])


def main() -> int:
    """Run the command; one line on stderr when a step fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("up", "walk", "down"), default="up")
    command = parser.parse_args().command
    try:
        settings = Settings.load()
        if command == "down":
            _down(settings)
            return 0
        if command == "up":
            _up(settings)
        _walk(settings)
    except (BedError, NotProved) as error:
        complain(str(error))
        return 1
    except KeyError as error:
        complain(f"an answer lacks {error}")
        return 1
    except subprocess.SubprocessError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
