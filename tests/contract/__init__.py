"""What the services promise of their answers, held against what the gateway answers."""
