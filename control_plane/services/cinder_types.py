"""Cinder's rows for what all pods should have alike: types, specs, encryption, quotas, limits."""

from typing import Unpack

from control_plane.services.operation import (
    Operation,
    Options,
    Ref,
    Releases,
    aggregate,
    broadcast,
    computed,
    single,
)


def _everywhere(methods: str, path: str, **options: Unpack[Options]) -> Operation:
    options["handler"] = "broadcast"
    return broadcast(methods, path, **options)


_TYPE_IN_QUERY = Ref("volume_type", "?vol_type_id")

_TYPES = (
    aggregate("GET", "/types", "volume_type"),
    _everywhere("POST", "/types", answer="volume_type", creates=True),
    # `default` goes for an id here.
    single("GET", "/types/{volume_type}", answer="volume_type"),
    _everywhere("PUT DELETE", "/types/{volume_type}", answer="volume_type"),
    _everywhere("POST", "/types/{volume_type}/action"),
    single("GET", "/types/{volume_type}/extra_specs"),
    single("GET", "/types/{volume_type}/extra_specs/{key}"),
    single("GET", "/types/{volume_type}/os-volume-type-access", answer="volume_type_access"),
    _everywhere("POST", "/types/{volume_type}/extra_specs"),
    _everywhere("PUT DELETE", "/types/{volume_type}/extra_specs/{key}"),
    single("GET", "/types/{volume_type}/encryption", answer="encryption"),
    single("GET", "/types/{volume_type}/encryption/{key}", answer="encryption"),
    _everywhere("POST", "/types/{volume_type}/encryption", answer="encryption"),
    # Cinder does not read the last id: a type has one encryption.
    _everywhere("PUT DELETE", "/types/{volume_type}/encryption/{encryption}", answer="encryption"),
    single("GET", "/default-types", since="3.62", answer="default_type"),
    single("GET", "/default-types/{project}", since="3.62", answer="default_type"),
    _everywhere(
        "PUT",
        "/default-types/{project}",
        since="3.62",
        answer="default_type",
        kept="default_type",
        sets=("volume_type",),
        copies=(Ref("volume_type", "default_type.volume_type"),),
    ),
    _everywhere(
        "DELETE",
        "/default-types/{project}",
        since="3.62",
        kept="default_type",
        sets=("volume_type",),
        copies=(Ref("volume_type", "default_type.volume_type"),),
    ),
)

_SPECS = (
    aggregate("GET", "/qos-specs", "qos_spec"),
    _everywhere("POST", "/qos-specs", answer="qos_spec", creates=True),
    single("GET", "/qos-specs/{qos_spec}", answer="qos_spec"),
    single("GET", "/qos-specs/{qos_spec}/associations", answer="qos_association"),
    _everywhere("PUT DELETE", "/qos-specs/{qos_spec}"),
    _everywhere("PUT", "/qos-specs/{qos_spec}/delete_keys"),
    _everywhere(
        "GET",
        "/qos-specs/{qos_spec}/associate",
        side_effect=True,
        copies=(_TYPE_IN_QUERY,),
        undo="/qos-specs/{qos_spec}/disassociate",
    ),
    _everywhere(
        "GET",
        "/qos-specs/{qos_spec}/disassociate",
        side_effect=True,
        copies=(_TYPE_IN_QUERY,),
        undo="/qos-specs/{qos_spec}/associate",
    ),
    _everywhere(
        "GET",
        "/qos-specs/{qos_spec}/disassociate_all",
        side_effect=True,
        undo="/qos-specs/{qos_spec}/associate",
        releases=Releases(
            "volume_type",
            "/qos-specs/{qos_spec}/associations",
            "qos_associations",
            "vol_type_id",
        ),
    ),
)

_GROUP_TYPES = (
    aggregate("GET", "/group_types", "group_type", since="3.11"),
    _everywhere("POST", "/group_types", since="3.11", answer="group_type", creates=True),
    single("GET", "/group_types/{group_type}", since="3.11", answer="group_type"),
    _everywhere("PUT DELETE", "/group_types/{group_type}", since="3.11", answer="group_type"),
    single("GET", "/group_types/{group_type}/group_specs", since="3.11"),
    single("GET", "/group_types/{group_type}/group_specs/{key}", since="3.11"),
    _everywhere("POST", "/group_types/{group_type}/group_specs", since="3.11"),
    _everywhere("PUT DELETE", "/group_types/{group_type}/group_specs/{key}", since="3.11"),
)

_LIMITS = (
    computed("GET", "/limits", handler="limits"),
    computed("GET", "/os-quota-sets/{project}", handler="quotas"),
    computed("GET", "/os-quota-sets/{project}/defaults", handler="quotas"),
    _everywhere(
        "PUT",
        "/os-quota-sets/{project}",
        kept="quota_set",
        defaults="/os-quota-sets/{project}/defaults",
    ),
    _everywhere("DELETE", "/os-quota-sets/{project}", kept="quota_set"),
    computed("GET", "/os-quota-class-sets/{quota_class}", handler="quotas"),
    _everywhere("PUT", "/os-quota-class-sets/{quota_class}", kept="quota_class_set"),
    computed("GET", "/os-availability-zone", handler="zones", answer="zone"),
    computed(
        "GET",
        "/resource_filters",
        since="3.33",
        handler="resource_filters",
        answer="resource_filter",
    ),
)

OPERATIONS: tuple[Operation, ...] = (*_TYPES, *_SPECS, *_GROUP_TYPES, *_LIMITS)
