"""The Keystone token a command shows: of the operator's environment, else of the settings."""

import logging
import os
from typing import Any

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1.identity.generic import Password
from keystoneauth1.session import Session

from control_plane.model.errors import StartupError
from control_plane.settings import Settings

_TIMEOUT = 30
_FIELDS = (
    "username",
    "user_id",
    "password",
    "project_name",
    "project_id",
    "user_domain_name",
    "user_domain_id",
    "project_domain_name",
    "project_domain_id",
)


def in_environment() -> bool:
    """Whether the environment says who the operator is, as for the `openstack` client."""
    return bool(os.environ.get("OS_TOKEN") or os.environ.get("OS_AUTH_URL"))


def get_token(settings: Settings | None) -> str:
    """Get a token from Keystone, or the one in `OS_TOKEN`; StartupError if there is none."""
    given = os.environ.get("OS_TOKEN")
    if given:
        return given
    if in_environment():
        options: dict[str, Any] = {name: os.environ.get(f"OS_{name.upper()}") for name in _FIELDS}
        options["auth_url"] = os.environ["OS_AUTH_URL"]
    elif settings is not None:
        identity = settings.identity
        options = {**identity.model_dump(), "password": identity.password.get_secret_value()}
    else:
        message = "neither OS_AUTH_URL nor a file of settings says who you are"
        raise StartupError(message)
    if not options["password"]:
        message = "OS_PASSWORD is not set"
        raise StartupError(message)
    # It would warn of what the one line below says.
    logging.getLogger("keystoneauth").setLevel(logging.CRITICAL)
    verify: Any = os.environ.get("OS_CACERT") or True
    session = Session(auth=Password(**options), verify=verify, timeout=_TIMEOUT)
    try:
        token = session.get_token()
    except (keystone_errors.ClientException, keystone_errors.MissingRequiredOptions) as error:
        message = f"no token from {options['auth_url']}: {' '.join(str(error).split())}"
        raise StartupError(message) from error
    return str(token)
