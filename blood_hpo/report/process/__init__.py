"""The sections on the search and its cost, each beside its figures."""
