"""What users have once and every pod has a copy of: ids, writes for all pods, pods that come late.

A definition (a flavor, a volume type) is written in all pods at once by `broadcast`; what a pod
could not be told is kept as an intent and told later; a new pod gets what the others have before
it takes creates. Ids that pods invent are mapped in `copies`.
"""
