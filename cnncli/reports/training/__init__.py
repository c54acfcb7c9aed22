"""A training as people and other programs read it."""
