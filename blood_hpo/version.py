"""The program's version: below every room that stores or compares it, the package's face too."""

__version__ = "0.1.0"
