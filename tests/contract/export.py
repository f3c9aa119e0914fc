"""Print the response schemas of Nova as JSON; runs inside the bed's virtual environment.

One entry is one schema: the method and path of its route, the action where the path has actions,
and the first and last microversion it stands for (empty: no bound).
"""

import json

from nova.api.openstack.compute import routes


def _version(bound):
    return "" if bound.is_null() else bound.get_string()


def _entries(method, path, function, action=""):
    schemas = getattr(function, "response_body_schemas", None)
    for schema, first, last in schemas._schemas if schemas else ():
        yield {
            "method": method,
            "path": path,
            "action": action,
            "min": _version(first),
            "max": _version(last),
            "schema": schema,
        }


def _route(method, path, make, name):
    # A controller connects to the message bus when it is made: only its class is looked at.
    main, others = make.args
    if hasattr(main, name):
        yield from _entries(method, path, getattr(main, name))
    if name == "action":
        for controller in (main, *others):
            for action, function in getattr(controller, "wsgi_actions", {}).items():
                yield from _entries(method, path, getattr(controller, function), action)


def main():
    """Walk over Nova's routes."""
    found = []
    for path, methods in routes.ROUTE_LIST:
        if isinstance(methods, str):
            continue
        for method, (make, name) in methods.items():
            found += _route(method, path, make, name)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
