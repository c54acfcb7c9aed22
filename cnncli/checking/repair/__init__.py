"""Repair: the smallest change of the user's own lines that makes a wrong backward pass right."""
