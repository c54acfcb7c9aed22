"""The loop, the optimisers and the run folder."""
