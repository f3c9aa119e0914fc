"""The whole product against real pods: Envoy, control plane, Keystone, Nova, Cinder, all of it."""
