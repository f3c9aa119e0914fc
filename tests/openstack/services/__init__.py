"""The OpenStack services of the bed: how each is configured, migrated and started."""
