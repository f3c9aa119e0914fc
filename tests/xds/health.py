"""The gRPC health service (grpc.health.v1), by which Envoy sees whether a process answers.

A process whose loop is stuck accepts connections and answers nothing, so that listening proves
too little.
"""

import grpc

_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Health:
    """Says that this process serves, until it is told to stop."""

    def __init__(self) -> None:
        """Serve at once."""
        self.serving = True

    async def check(self, _: bytes, __: object) -> bytes:
        """Answer one HealthCheckRequest; there is one service, whatever name is asked for."""
        return _SERVING if self.serving else _NOT_SERVING

    def handler(self) -> grpc.GenericRpcHandler:
        """Give the handler to add to a gRPC server."""
        method = grpc.unary_unary_rpc_method_handler(self.check)
        return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})
