"""The search: families of one shared study, proposals, pruning and cross-validated trials."""
