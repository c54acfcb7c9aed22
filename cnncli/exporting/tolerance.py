"""How much an exported model may differ."""

TOLERANCE = 1e-5  # of a probability: float32 rounds sums of another order otherwise, by far less
