"""Make the table of the pods that projects may have things in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _text(length: int = 255) -> sa.String:
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Make the table and fill it from the bindings; what else there is, lists will show."""
    moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    op.create_table(
        "presence",
        sa.Column("project_id", _text(), primary_key=True),
        sa.Column(
            "pod_id",
            _text(64),
            sa.ForeignKey("pods.id", name="fk_presence_pod_id_pods", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_index("ix_presence_pod_id", "presence", ["pod_id"])
    op.execute(
        "INSERT INTO presence (project_id, pod_id, created_at)"
        " SELECT project_id, pod_id, MIN(created_at) FROM bindings GROUP BY project_id, pod_id"
    )
