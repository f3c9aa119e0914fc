"""What all pods share beside Keystone: the database server, the message broker, the cache."""
