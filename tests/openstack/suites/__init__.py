"""The functional tests that OpenStack's clients ship, against one region of the bed."""
