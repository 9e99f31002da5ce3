"""Model families: hyperparameters and the network each of them describes; no I/O, no search."""
