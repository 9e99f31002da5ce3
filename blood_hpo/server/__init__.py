"""The embedded PostgreSQL: found, started, counted and stopped."""
