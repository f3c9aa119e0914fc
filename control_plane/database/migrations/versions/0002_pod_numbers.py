"""Give each pod a number of its own."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column, and number the pods there are in the order in which they came."""
    # The default lets SQLite add a column that is never empty without copying the table.
    op.add_column("pods", sa.Column("number", sa.Integer, nullable=False, server_default="0"))
    names = ("id", "name", "created_at", "number")
    pods = sa.table("pods", *(sa.column(name) for name in names))
    connection = op.get_bind()
    rows = connection.execute(sa.select(pods.c.id).order_by(pods.c.created_at, pods.c.name)).all()
    for number, row in enumerate(rows, start=1):
        connection.execute(sa.update(pods).where(pods.c.id == row.id).values(number=number))
    op.create_index("ix_pods_number", "pods", ["number"], unique=True)
