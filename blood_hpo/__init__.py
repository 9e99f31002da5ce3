"""Hyperparameter optimisation as a service for blood-cell image classifiers."""

__version__ = "0.1.0"
