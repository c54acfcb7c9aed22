"""Every derivative held against a second opinion, and what is wrong where they differ."""
