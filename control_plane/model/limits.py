"""What both sides of a connection must agree on."""

#: The largest body that the processor asks to see: what Envoy holds of one request. Of a larger one
#: Envoy would send nothing until it has all, and not read on; Nova and Cinder themselves take a
#: ninth of it. Octets.
LARGEST_BODY = 1 << 20

#: The longest path, query and all, of a list in pages that Envoy or one pod answers. Letters.
LONGEST_PAGE_PATH = 1024
