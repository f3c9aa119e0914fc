"""Messages generated from `protos/` when the package is built; nothing here is written by hand."""
