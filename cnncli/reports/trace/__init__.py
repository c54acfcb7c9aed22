"""A trace as people and other programs read it."""
