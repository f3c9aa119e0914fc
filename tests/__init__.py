"""Tests, laid out as the source is; `openstack/` is the test bed of real pods."""
