"""What an operator may do: pods, bindings, look-ups. One service, over gRPC and as REST."""
