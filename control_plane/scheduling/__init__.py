"""Which pod takes a create: pure functions over the pods and what the request wants.

To add a rule that excludes pods, add a function to `filters.py`; to prefer some over others, one
to `weighers.py`.
"""
