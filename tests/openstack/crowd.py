"""Many servers or volumes at once: rows of a real one copied, some columns with other values.

A create through the API takes a second each; what lists show and sort by is in the rows alone.
Each table is copied with all its columns from the databases of the pod that has the template.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from tests.openstack.backing import mariadb
from tests.openstack.pod import Pod
from tests.openstack.settings import Settings

Value: TypeAlias = str | int | bool | datetime | None
#: A thing's columns that differ from the template's; `uuid` is its id.
Row: TypeAlias = Mapping[str, Value]

#: Rows of one statement: a command line holds 128 KiB at most.
_AT_ONCE = 100
#: Tables with more of a server, by the column that names it.
_OF_A_SERVER = ("instance_extra", "instance_info_caches", "instance_system_metadata")


def servers(
    home: Pod, template: str, pod: Pod, rows: Sequence[Row], cell_name: str = "cell1"
) -> None:
    """Put servers into a pod's cell, like `template`, a server of the pod `home`.

    A row with `deleted_at` is a server that was deleted.
    """
    settings, source = pod.settings, f"{home.key}_nova_cell1"
    cell = f"{pod.key}_nova_{cell_name}"
    with_crowd = _Crowd(settings, cell, rows)
    with_crowd.copy(f"{source}.instances", "uuid", template, "uuid")
    for table in _OF_A_SERVER:
        with_crowd.copy(f"{source}.{table}", "instance_uuid", template, "uuid")
    mariadb.sql(settings, f"update {cell}.instances set deleted = id where deleted_at is not null")
    mariadb.sql(
        settings,
        f"insert into {pod.key}_nova_api.instance_mappings"
        " (created_at, instance_uuid, cell_id, project_id, user_id, queued_for_delete)"
        " select i.created_at, i.uuid, c.id, i.project_id, i.user_id, i.deleted <> 0"
        f" from {cell}.instances i join {pod.key}_nova_api.cell_mappings c"
        f" on c.name = '{cell_name}'",
    )
    with_crowd.end()


def volumes(home: Pod, template: str, pod: Pod, rows: Sequence[Row]) -> None:
    """Put volumes into a pod, like `template`, a volume of the pod `home`, and of its type."""
    settings, target, source = pod.settings, f"{pod.key}_cinder", f"{home.key}_cinder"
    mariadb.sql(
        settings, f"insert ignore into {target}.volume_types select * from {source}.volume_types"
    )
    with_crowd = _Crowd(settings, target, rows)
    with_crowd.copy(f"{source}.volumes", "id", template, "uuid")
    mariadb.sql(settings, f"update {target}.volumes set deleted = 1 where deleted_at is not null")
    with_crowd.end()


class _Crowd:
    """The rows as a table of their own, beside those they go into."""

    def __init__(self, settings: Settings, database: str, rows: Sequence[Row]) -> None:
        """Make the table; all rows have the same columns."""
        self._settings = settings
        self._database = database
        self._table = f"{database}.crowd"
        self._columns = list(rows[0])
        self.end()
        columns = ", ".join(f"{name} varchar(255) null" for name in self._columns)
        mariadb.sql(settings, f"create table {self._table} ({columns})")
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            values = ", ".join(_tuple(row[name] for name in self._columns) for row in part)
            mariadb.sql(settings, f"insert into {self._table} values {values}")

    def end(self) -> None:
        """Drop the table."""
        mariadb.sql(self._settings, f"drop table if exists {self._table}")

    def copy(self, source: str, key: str, template: str, identity: str) -> None:
        """Copy the template's rows of a table for each row, which `key` there names."""
        schema, table = source.split(".")
        found = mariadb.sql(
            self._settings,
            "select column_name from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{table}'"
            f" and extra not like '%auto_increment%'",
        )
        chosen = ", ".join(
            f"c.{identity}" if name == key else f"{'c' if name in self._own(key) else 't'}.`{name}`"
            for name in found
        )
        mariadb.sql(
            self._settings,
            f"insert into {self._database}.{table} ({', '.join(f'`{name}`' for name in found)})"
            f" select {chosen} from {source} t join {self._table} c where t.{key} = '{template}'",
        )

    def _own(self, key: str) -> Sequence[str]:
        """Only the thing itself has the rows' columns; what belongs to it has its id alone."""
        return () if key == "instance_uuid" else self._columns


def _tuple(values: Iterable[Value]) -> str:
    return f"({', '.join(map(_literal, values))})"


def _literal(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"'{value:%Y-%m-%d %H:%M:%S}'"
    if isinstance(value, bool | int):
        return str(int(value))
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
