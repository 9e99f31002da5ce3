"""The database: its address, schema, roles, views and questions, and the record of a trial."""
