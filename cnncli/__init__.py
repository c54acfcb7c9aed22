"""Train a small convolutional network, and see, check and understand every number in it."""

__version__ = "0.1.0"
