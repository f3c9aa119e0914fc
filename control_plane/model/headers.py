"""Names of the headers between Envoy and the processor; neither clients nor pods see one.

The listener takes them from clients, the routes from what goes to pods and from their answers.
"""

#: The processor's decision, and the only thing that routes.
CLUSTER = "x-trio2o-cluster"
#: The cluster of a known id, by what becomes of the answer: it passes, or the owner cache puts it
#: into the users' words.
KNOWN = "x-trio2o-known"
SEEN = "x-trio2o-seen"
#: How the processor is to be asked.
LANE = "x-trio2o-lane"
#: The size of the owner cache, on requests that it could not answer.
CACHE = "x-trio2o-cache"
#: What the processor said of an id, and of whom it was asked, on an answer.
LEARN = "x-trio2o-learn"
ASKED = "x-trio2o-asked"
#: Sent by an administrator who asks why; the one of these that clients may send.
EXPLAIN = "x-trio2o-explain"
