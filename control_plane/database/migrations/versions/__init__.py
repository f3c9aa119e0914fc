"""Revisions of the schema; the newest is what `schema.py` says."""
