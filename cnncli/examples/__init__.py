"""The examples that the package carries."""
