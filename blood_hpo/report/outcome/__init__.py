"""The sections on what was found, each beside its figures."""
