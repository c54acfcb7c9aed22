"""The backward pass of any function: a hand-written vector-Jacobian product against what the function itself does."""
