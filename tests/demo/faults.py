"""Steps in which something is wrong: a zone, a token, a pod."""

from tests.demo.cloud import PREFIX, Cloud
from tests.demo.servers import name_in
from tests.openstack.client import send
from tests.openstack.services import nova


def wrong_zone(cloud: Cloud) -> None:
    """Ask for a zone that is not there."""
    with cloud.walk.step("A zone that does not exist"):
        words = ["server", "create", "--image", "cirros-lab", "--flavor", "m1.nano"]
        outcome = cloud.openstack.attempt(*words, "--availability-zone", "mars", f"{PREFIX}lost")
        told = "400" in outcome.error and "availability zone" in outcome.error.lower()
        cloud.walk.prove(
            "the client is told 400, and that it is the zone", holds=told, found=outcome.error
        )


def bad_token(cloud: Cloud) -> None:
    """Come with a token that Keystone does not know."""
    with cloud.walk.step("A token that Keystone does not know"):
        url = f"{cloud.settings.gateway}/compute/v2.1/servers"
        cloud.walk.ran(f"curl -H 'X-Auth-Token: made-up' {url}")
        answer = send("GET", url, headers={"X-Auth-Token": "made-up"})
        cloud.walk.prove("it is answered 401", holds=answer.status == 401, found=answer.status)
        where = answer.headers["WWW-Authenticate"] or ""
        cloud.walk.prove("and told where Keystone is", holds="eystone uri" in where, found=where)


def lost_pod(cloud: Cloud) -> None:
    """Ask for a list while one pod's Nova is down."""
    here, gone = cloud.pods
    process = f"{gone.key}-nova-api"
    path = "/compute/v2.1/servers"
    with cloud.walk.step(f"Nova of {gone.zone} is down"):
        cloud.walk.ran(f"python -m tests.openstack down {process}")
        cloud.processes.stop([process])
        try:
            answer = cloud.gateway("GET", path)
            names = [server["name"] for server in answer.json.get("servers", [])]
            whole = answer.status == 200 and name_in(here.zone) in names
            cloud.walk.prove(
                f"the list still has the servers of {here.zone}",
                holds=whole and name_in(gone.zone) not in names,
                found=(answer.status, names),
            )
            missing = answer.headers["x-trio2o-missing"]
            cloud.walk.prove(
                f"and says in a header that {gone.zone} is missing",
                holds=missing == gone.zone,
                found=missing,
            )
        finally:
            nova.start_api(gone, cloud.processes)
        cloud.processes.wait_for_http(f"{gone.url('nova')}/", process)
        url = f"{cloud.settings.gateway}{path}"
        cloud.until(
            f"{gone.zone} answers again",
            lambda: "x-trio2o-missing" not in cloud.user.call("GET", url).headers,
        )
        cloud.walk.prove("once it is back, the list is whole again by itself", holds=True)
