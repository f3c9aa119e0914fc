"""What operators see of the control plane: metrics, logs, health."""
