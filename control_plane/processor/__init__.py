"""The ext_proc server: from Envoy's messages to a handler and back to messages."""
