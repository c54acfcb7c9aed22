"""A gradient check as people and other programs read it."""
