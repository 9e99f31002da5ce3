"""Training: augmentation, the compiled epoch, and one fit with early stopping."""
