"""A test bed of real OpenStack clouds: one Keystone and N complete pods on one machine.

A pod is a Keystone region with its own nova, placement, neutron, glance and cinder. Everything
here runs on the standard library of any Python from 3.11 on; the services run from a virtual
environment of their own. See README.md beside this file.
"""
