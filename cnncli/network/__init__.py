"""The network's mathematics: arrays in, arrays out; no screen, no files."""
