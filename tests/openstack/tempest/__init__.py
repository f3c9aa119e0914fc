"""Tempest against one region of the bed: a pod's own, or the user region behind the gateway."""
