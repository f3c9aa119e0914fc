"""What a definition is: something small that users have once and every pod has a copy of.

A flavor or a volume type is fields, and parts below it that have paths of their own. Written down
here as data, one function can read a whole definition from a pod and one can make a pod's copy be
like it: after a write that one pod refused, and for a pod that came later.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Specs:
    """Keys and values below a definition.

    `path` is where they are read (under `key`) and written, a single one is removed at
    `path/<name>`. `inline`: they stand in the definition's own answer under `key` and are written
    among its fields with PUT; `removal` is then the path that takes `{"keys": […]}` away.
    """

    path: str
    key: str
    inline: bool = False
    removal: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """The projects that may use a definition which is not public.

    The list at `path` has items under `key`, each with the project in `field`; `action` is the
    path of the actions `grant` and `revoke`, which take the project as `argument`.
    """

    path: str
    key: str
    field: str
    action: str
    grant: str
    revoke: str
    argument: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One thing below a definition, or none (the encryption of a volume type).

    `path` reads the fields at the top of the answer, and takes POST with `key` around them; the
    field `identity` is the pod's id of it, by which it is changed and removed.
    """

    path: str
    key: str
    identity: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Association:
    """Another definition named in `field`; `bind` and `unbind` are paths whose GET changes that.

    `{other}` in them is the other one's id, `{id}` the definition's own.
    """

    resource: str
    field: str
    bind: str
    unbind: str


@dataclass(frozen=True, slots=True)
class Definition:
    """How the copies of one kind of definition are listed, read and made alike.

    `path` is the collection, `listing` the path that lists all of it, private ones too. `fields`
    are sent with a create, `changes` with a PUT. `public` is the field that is false where
    `access` counts. `since` is the lowest microversion that shows every field. `owned` marks what
    belongs to one user; a lower `order` is made first: a type is bound to a QoS spec that must be
    there.
    """

    path: str
    listing: str
    fields: tuple[str, ...]
    changes: tuple[str, ...] = ()
    since: str = ""
    public: str = ""
    owned: bool = False
    order: int = 0
    specs: Specs | None = None
    access: Access | None = None
    attachment: Attachment | None = None
    association: Association | None = None


FLAVOR = Definition(
    path="/flavors",
    listing="/flavors?is_public=None",
    fields=(
        "id",
        "name",
        "ram",
        "disk",
        "vcpus",
        "swap",
        "rxtx_factor",
        "description",
        "os-flavor-access:is_public",
        "OS-FLV-EXT-DATA:ephemeral",
    ),
    changes=("description",),
    since="2.55",
    public="os-flavor-access:is_public",
    specs=Specs("/flavors/{id}/os-extra_specs", "extra_specs"),
    access=Access(
        "/flavors/{id}/os-flavor-access",
        "flavor_access",
        "tenant_id",
        "/flavors/{id}/action",
        "addTenantAccess",
        "removeTenantAccess",
        "tenant",
    ),
)

KEYPAIR = Definition(
    path="/os-keypairs",
    listing="",
    fields=("name", "public_key", "type", "user_id"),
    since="2.10",
    owned=True,
)

QOS_SPEC = Definition(
    path="/qos-specs",
    listing="/qos-specs",
    fields=("name", "consumer"),
    changes=("consumer",),
    order=1,
    specs=Specs("/qos-specs/{id}", "specs", inline=True, removal="/qos-specs/{id}/delete_keys"),
)

VOLUME_TYPE = Definition(
    path="/types",
    listing="/types?is_public=None",
    fields=("name", "description", "os-volume-type-access:is_public"),
    # Shown with a prefix, changed without it.
    changes=("name", "description", "is_public"),
    public="is_public",
    order=2,
    specs=Specs("/types/{id}/extra_specs", "extra_specs"),
    access=Access(
        "/types/{id}/os-volume-type-access",
        "volume_type_access",
        "project_id",
        "/types/{id}/action",
        "addProjectAccess",
        "removeProjectAccess",
        "project",
    ),
    attachment=Attachment(
        "/types/{id}/encryption",
        "encryption",
        "encryption_id",
        ("provider", "cipher", "key_size", "control_location"),
    ),
    association=Association(
        "qos_spec",
        "qos_specs_id",
        "/qos-specs/{other}/associate?vol_type_id={id}",
        "/qos-specs/{other}/disassociate?vol_type_id={id}",
    ),
)

GROUP_TYPE = Definition(
    path="/group_types",
    listing="/group_types?is_public=None",
    fields=("name", "description", "is_public"),
    changes=("name", "description", "is_public"),
    since="3.11",
    order=1,
    specs=Specs("/group_types/{id}/group_specs", "group_specs"),
)
