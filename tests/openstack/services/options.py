"""Configuration sections that several services have, and the file they are written to."""

import getpass
from collections.abc import Mapping
from pathlib import Path

from tests.openstack.backing import mariadb, rabbitmq
from tests.openstack.pod import TYPES, Pod
from tests.openstack.settings import PASSWORD, Settings

Section = Mapping[str, object]

_LEVELS = (
    "amqp=WARN,amqplib=WARN,sqlalchemy=WARN,oslo.messaging=INFO,oslo_messaging=INFO,urllib3=WARN,"
    "keystonemiddleware=WARN,stevedore=WARN,dogpile.core.dogpile=INFO,oslo.cache=INFO,"
    "requests=WARN,routes.middleware=WARN,taskflow=WARN,keystoneauth=WARN,neutronclient=ERROR"
)
RABBIT: Section = {
    "heartbeat_in_pthread": "false",
    "rabbit_quorum_queue": "false",
    "heartbeat_timeout_threshold": 60,
}


def write(settings: Settings, file: Path, sections: Mapping[str, Section]) -> None:
    """Write a configuration file."""
    proxy = {"enable_proxy_headers_parsing": str(settings.proxy_headers).lower()}
    lines: list[str] = []
    for name, section in {**sections, "oslo_middleware": proxy}.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in section.items()), ""]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines))


def merged(sections: Mapping[str, Section], more: Mapping[str, Section]) -> dict[str, Section]:
    """Put more options into sections, over those of the same name."""
    names = dict.fromkeys([*sections, *more])
    return {name: {**sections.get(name, {}), **more.get(name, {})} for name in names}


def common(settings: Settings, host: str = "") -> dict[str, object]:
    """Give the options of logging, and of messages when the service has a virtual host."""
    logging: dict[str, object] = {
        "debug": str(settings.debug).lower(),
        "use_stderr": "true",
        "log_color": "false",
        "default_log_levels": _LEVELS,
    }
    return {**logging, "transport_url": rabbitmq.url(settings, host)} if host else logging


def database(settings: Settings, name: str) -> Section:
    """Give the section of one database."""
    return {
        "connection": mariadb.url(settings, name),
        "max_pool_size": 10,
        "max_overflow": 20,
        "connection_recycle_time": 600,
    }


def cache(settings: Settings) -> Section:
    """Give the section of oslo.cache."""
    return {
        "enabled": "true",
        "backend": "dogpile.cache.pymemcache",
        "memcache_servers": settings.memcached,
    }


def locks(pod: Pod) -> Section:
    """Give the section of oslo.concurrency."""
    return {"lock_path": pod.data / "lock"}


def account(settings: Settings, user: str, **more: object) -> Section:
    """Give what a service needs to speak to others as itself."""
    return {
        "auth_type": "password",
        "auth_url": settings.keystone,
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
        **more,
    }


def authtoken(pod: Pod, user: str) -> Section:
    """Give the section of keystonemiddleware."""
    settings = pod.settings
    return account(
        settings,
        user,
        www_authenticate_uri=settings.keystone,
        region_name=pod.name,
        memcached_servers=settings.memcached,
        service_token_roles="service",
        service_token_roles_required="true",
        service_type=TYPES[user][0],
    )


def owner() -> str:
    """Give the user everything runs as."""
    return getpass.getuser()
