"""What suites expect of a cloud: devstack's names in clouds.yaml, an image, a project.

Some suites know no region: they take the first endpoint of the catalog. So each region has a
project of its own whose catalog holds that region's Nova only (Keystone's OS-EP-FILTER). Endpoints
of other services stay: a pod's Nova finds its Cinder in the catalog of the user's token.
"""

from collections.abc import Mapping
from pathlib import Path

from tests.openstack import bed
from tests.openstack.client import Client
from tests.openstack.seed import seed_images
from tests.openstack.settings import PASSWORD, Settings

#: openstackclient's tests look for an image with a name of this form.
IMAGES = {"cirros-lab-disk": "11111111-0000-4000-8000-000000000003"}


def prepare(settings: Settings, region: str) -> None:
    """Make what is missing in Keystone and in all pods."""
    client = Client(settings.keystone)
    for pod in bed.present(settings):
        seed_images(pod, client, IMAGES)
    _prepare_project(client, project(region), region)


def project(region: str) -> str:
    """Give the name of the project that sees one region only."""
    return f"suites-{region}"


def clouds(settings: Settings, region: str) -> str:
    """Make the text of a clouds.yaml with the clouds that suites ask for by name."""
    scopes = {
        "devstack": ("demo", "project_name: demo"),
        "devstack-alt": ("alt", "project_name: alt"),
        "devstack-admin": ("admin", "project_name: admin"),
        "devstack-system-admin": ("admin", "system_scope: all"),
        "functional_admin": ("admin", f"project_name: {project(region)}"),
    }
    lines = ["clouds:"]
    for name, (user, scope) in scopes.items():
        lines += [
            f"  {name}:",
            "    auth:",
            f"      auth_url: {settings.keystone}",
            f"      username: {user}",
            f"      password: {PASSWORD}",
            "      user_domain_id: default",
            f"      {scope}",
            *([] if "system" in scope else ["      project_domain_id: default"]),
            f"    region_name: {region}",
            "    identity_api_version: 3",
        ]
    return "\n".join(lines) + "\n"


def variables(settings: Settings, region: str) -> Mapping[str, str]:
    """Give the `OS_…` of an administrator of the region."""
    return {
        "OS_AUTH_URL": settings.keystone,
        "OS_USERNAME": "admin",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": project(region),
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": region,
    }


def workspace(settings: Settings, suite: str, region: str) -> Path:
    """Give the folder in which a suite runs; clients find clouds.yaml where they run."""
    folder = settings.base / "suites" / f"{suite}-{region}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clouds.yaml").write_text(clouds(settings, region))
    return folder


def _prepare_project(client: Client, name: str, region: str) -> None:
    keystone = client.keystone
    projects = client.ask("GET", f"{keystone}/projects?name={name}")["projects"]
    if not projects:
        body = {"project": {"name": name, "domain_id": "default"}}
        projects = [client.ask("POST", f"{keystone}/projects", body)["project"]]
    identity = projects[0]["id"]
    [user] = client.ask("GET", f"{keystone}/users?name=admin")["users"]
    [role] = client.ask("GET", f"{keystone}/roles?name=admin")["roles"]
    client.ask("PUT", f"{keystone}/projects/{identity}/users/{user['id']}/roles/{role['id']}")
    [compute] = client.ask("GET", f"{keystone}/services?type=compute")["services"]
    endpoints = [
        endpoint
        for endpoint in client.ask("GET", f"{keystone}/endpoints")["endpoints"]
        if endpoint["region_id"] == region or endpoint["service_id"] != compute["id"]
    ]
    filters = f"{keystone}/OS-EP-FILTER/projects/{identity}/endpoints"
    known = {endpoint["id"] for endpoint in client.ask("GET", filters)["endpoints"]}
    for endpoint in endpoints:
        if endpoint["id"] not in known:
            client.ask("PUT", f"{filters}/{endpoint['id']}")
