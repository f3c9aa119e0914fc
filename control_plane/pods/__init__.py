"""How the control plane itself reaches pods: always through Envoy's egress listener.

So connections are pooled, health is checked, and time limits and breakers hold for the control
plane's own calls as for those of users.
"""
