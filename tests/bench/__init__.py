"""Measurements; each prints ratios of one interleaved run, and none is a test."""
