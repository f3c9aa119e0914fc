"""What Envoy is told: resources made of the pods, published over ADS, and Envoy's bootstrap.

The builders (`listeners`, `routes`, `clusters`, `endpoints`, …) are pure functions from options
and pods to resources; `gateway.build` puts them together into a `Snapshot`; `server` hands
snapshots to every connected Envoy. Importing the builders takes about a second, so commands that
need no Envoy should not.
"""
