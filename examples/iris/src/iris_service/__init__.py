"""Predicts iris species over HTTP with a random forest."""

# Written out, not asked of the installed metadata: the source also runs where it is not installed.
__version__ = "1.0.0"
