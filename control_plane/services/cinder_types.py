"""Cinder's rows for what all pods should have alike: types, specs, encryption, quotas, limits."""

from control_plane.services.operation import (
    Operation,
    aggregate,
    broadcast,
    computed,
    single,
)

_TYPES = (
    aggregate("GET", "/types", "volume_type"),
    broadcast("POST", "/types", answer="volume_type", creates=True),
    # `default` goes for an id here.
    single("GET", "/types/{volume_type}", answer="volume_type"),
    broadcast("PUT DELETE", "/types/{volume_type}", answer="volume_type"),
    broadcast("POST", "/types/{volume_type}/action"),
    single("GET", "/types/{volume_type}/extra_specs"),
    single("GET", "/types/{volume_type}/extra_specs/{key}"),
    single("GET", "/types/{volume_type}/os-volume-type-access"),
    broadcast("POST", "/types/{volume_type}/extra_specs"),
    broadcast("PUT DELETE", "/types/{volume_type}/extra_specs/{key}"),
    single("GET", "/types/{volume_type}/encryption"),
    single("GET", "/types/{volume_type}/encryption/{key}"),
    broadcast("POST", "/types/{volume_type}/encryption"),
    broadcast("PUT DELETE", "/types/{volume_type}/encryption/{encryption}"),
    single("GET", "/default-types", since="3.62"),
    single("GET", "/default-types/{project}", since="3.62"),
    broadcast("PUT DELETE", "/default-types/{project}", since="3.62"),
)

_SPECS = (
    aggregate("GET", "/qos-specs", "qos_spec"),
    broadcast("POST", "/qos-specs", answer="qos_spec", creates=True),
    single("GET", "/qos-specs/{qos_spec}", answer="qos_spec"),
    single("GET", "/qos-specs/{qos_spec}/associations"),
    broadcast("PUT DELETE", "/qos-specs/{qos_spec}"),
    broadcast("PUT", "/qos-specs/{qos_spec}/delete_keys"),
    broadcast("GET", "/qos-specs/{qos_spec}/associate", side_effect=True),
    broadcast("GET", "/qos-specs/{qos_spec}/disassociate", side_effect=True),
    broadcast("GET", "/qos-specs/{qos_spec}/disassociate_all", side_effect=True),
)

_GROUP_TYPES = (
    aggregate("GET", "/group_types", "group_type", since="3.11"),
    broadcast("POST", "/group_types", since="3.11", answer="group_type", creates=True),
    single("GET", "/group_types/{group_type}", since="3.11", answer="group_type"),
    broadcast("PUT DELETE", "/group_types/{group_type}", since="3.11", answer="group_type"),
    single("GET", "/group_types/{group_type}/group_specs", since="3.11"),
    single("GET", "/group_types/{group_type}/group_specs/{key}", since="3.11"),
    broadcast("POST", "/group_types/{group_type}/group_specs", since="3.11"),
    broadcast("PUT DELETE", "/group_types/{group_type}/group_specs/{key}", since="3.11"),
)

_LIMITS = (
    computed("GET", "/limits", handler="limits"),
    computed("GET", "/os-quota-sets/{project}"),
    computed("GET", "/os-quota-sets/{project}/defaults"),
    broadcast("PUT DELETE", "/os-quota-sets/{project}"),
    computed("GET", "/os-quota-class-sets/{quota_class}"),
    broadcast("PUT", "/os-quota-class-sets/{quota_class}"),
    computed("GET", "/os-availability-zone", handler="zones", answer="zone"),
    computed("GET", "/resource_filters", since="3.33"),
)

OPERATIONS: tuple[Operation, ...] = (*_TYPES, *_SPECS, *_GROUP_TYPES, *_LIMITS)
