"""What OpenStack is, as data: one table a service, and the few types the tables are made of.

To add an endpoint, add a row to the service's table; to add a service, add a table and name it in
`catalog.py`. Nothing here does I/O and nothing outside knows a service by name.
"""
