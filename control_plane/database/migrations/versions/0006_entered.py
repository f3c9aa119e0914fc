"""Say when something was last about to be made in a pod for a project."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column; as far as is known something has just been made everywhere."""
    moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    op.add_column("presence", sa.Column("entered_at", moment))
    presence = sa.table("presence", sa.column("entered_at", moment))
    op.execute(presence.update().values(entered_at=datetime.now(UTC)))
