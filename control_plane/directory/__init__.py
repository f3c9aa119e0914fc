"""Who owns an id: memory first, then the store, then the pods themselves.

A placed resource never changes its pod, so what is known is true for ever; the directory is a map
of the truth, and the pods are the truth.
"""
