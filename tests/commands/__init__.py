"""The trio2o command."""
