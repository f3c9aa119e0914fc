"""Tokens: validated against Keystone by the gateway's own user, cached for a while, never logged."""
