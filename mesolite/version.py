"""Which version this is, for traces and files that are kept."""

__version__ = "0.1.0"
