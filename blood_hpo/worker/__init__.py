"""The worker: claims, leases, attempts, recovery, and the pool on one machine."""
