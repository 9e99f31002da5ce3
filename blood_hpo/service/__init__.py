"""The service: storage, claims, workers, recovery and the pool on one machine."""
