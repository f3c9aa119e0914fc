"""The first tables: pods, bindings, owners, facts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _text(length: int = 255) -> sa.String:
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "pods",
        sa.Column("id", _text(64), primary_key=True),
        sa.Column("name", _text(), nullable=False),
        sa.Column("availability_zone", _text(), nullable=False),
        sa.Column("pod_availability_zone", _text(), nullable=False),
        sa.Column("data_center", _text(), nullable=False),
        sa.Column("state", _text(32), nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("endpoints", sa.JSON, nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("updated_at", _moment()),
        sa.UniqueConstraint("name", name="uq_pods_name"),
    )
    op.create_table(
        "bindings",
        sa.Column("id", _text(64), primary_key=True),
        sa.Column("project_id", _text(), nullable=False),
        sa.Column("availability_zone", _text(), nullable=False),
        sa.Column("pod_id", _text(64), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("updated_at", _moment()),
        sa.ForeignKeyConstraint(
            ["pod_id"], ["pods.id"], name="fk_bindings_pod_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "project_id", "availability_zone", name="uq_bindings_project_id_availability_zone"
        ),
    )
    op.create_index("ix_bindings_pod_id", "bindings", ["pod_id"])
    op.create_table(
        "owners",
        sa.Column("id", _text(), primary_key=True),
        sa.Column("resource", _text(64), nullable=False),
        sa.Column("pod", _text(), nullable=False),
        sa.Column("project_id", _text(), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("deleted_at", _moment()),
    )
    op.create_index("ix_owners_pod", "owners", ["pod"])
    op.create_index(
        "ix_owners_project_id_resource_created_at",
        "owners",
        ["project_id", "resource", "created_at"],
    )
    op.create_table(
        "facts",
        sa.Column("pod", _text(), primary_key=True),
        sa.Column("key", _text(64), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("updated_at", _moment(), nullable=False),
    )
