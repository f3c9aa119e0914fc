"""Alembic's part: its environment and the revisions."""
