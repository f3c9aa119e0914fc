"""What both sides of a connection must agree on."""

#: The largest body that the processor asks to see: what Envoy holds of one request. Of a larger one
#: Envoy would send nothing until it has all, and not read on; Nova and Cinder themselves take a
#: ninth of it. Octets.
LARGEST_BODY = 1 << 20
