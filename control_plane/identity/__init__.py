"""Tokens: validated against Keystone by the gateway's own user, cached, never logged."""
