"""Names of the headers between Envoy and the processor; neither clients nor pods see one.

The listener takes them from clients, the routes from what goes to pods and from their answers. Each
begins with `x-trio2o-`, but the one that routes put into answers: it is hop-by-hop, so that Envoy
itself takes it off whatever it sends to a client. An answer of its own in place of one that had
begun passes no filter that could.
"""

#: The processor's decision, and the only thing that routes.
CLUSTER = "x-trio2o-cluster"
#: The cluster of a known id, by what becomes of the answer: it passes, or the owner cache puts it
#: into the users' words.
KNOWN = "x-trio2o-known"
SEEN = "x-trio2o-seen"
#: The same, where the module of known ids said so before anything was routed (envoy/module).
EARLY_KNOWN = "x-trio2o-early-known"
EARLY_SEEN = "x-trio2o-early-seen"
#: How the processor is to be asked.
LANE = "x-trio2o-lane"
#: The size of the owner cache, on requests that it could not answer.
CACHE = "x-trio2o-cache"
#: On an answer: what the processor said of an id (`learn.py`), or `=` where the owner cache knew it
#: and puts the answer into the users' words; behind a blank, of whom it was asked.
ANSWERED = "proxy-connection"
#: Sent by an administrator who asks why; the one of these that clients may send.
EXPLAIN = "x-trio2o-explain"
