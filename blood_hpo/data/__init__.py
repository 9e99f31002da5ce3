"""The data set: find, fetch, verify and split it; nothing here trains."""
