"""The values everything else speaks of: pods, bindings, callers, versions, errors. No I/O."""
