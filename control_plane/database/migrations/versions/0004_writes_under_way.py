"""Let intents stand for writes that are under way, too."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add what says of which write an intent is, and how far that has come."""
    binary = mysql.VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin")
    text = sa.String(64).with_variant(binary, "mysql", "mariadb")
    op.add_column("intents", sa.Column("write_id", text, nullable=False, server_default=""))
    for name in ("held", "doing"):
        column = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
        op.add_column("intents", column)
    op.create_index("ix_intents_write_id", "intents", ["write_id"])
