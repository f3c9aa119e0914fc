"""What must outlive a process: pods, bindings, owners, and what pods last said of themselves.

`Store` is all that others use; `upgrade` brings a database to the present schema.
"""

from control_plane.database.store import Store
from control_plane.database.upgrade import upgrade

__all__ = ["Store", "upgrade"]
