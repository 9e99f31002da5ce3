"""The database: the embedded server, schema, roles, views and named queries."""
