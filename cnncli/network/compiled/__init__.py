"""The compiled engine: a training step in C, in threads (kernel.c), and what Python does around it."""
