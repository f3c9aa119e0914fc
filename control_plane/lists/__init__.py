"""Lists over pods: what a client asks for, what a pod answers, and how answers become one.

No I/O and no service by name; a service's rules come as its `Paging`, a resource's as its `order`.
"""
