"""The processes that answer Envoy: what they are, how they are kept, what they are told.

One process decides for all (pods, snapshots, administration) and the others answer requests. None
of those imports what xDS is built with: it would cost each of them its start and its memory.
"""
