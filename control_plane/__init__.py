"""Trio2o: many OpenStack clouds as one.

Envoy carries the traffic. This package is the control plane that Envoy asks: which pod a request
belongs to (ext_proc) and which pods there are (xDS).
"""

__version__ = "0.1.0"
