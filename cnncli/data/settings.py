"""What can be chosen about how images are read. Nothing here imports NumPy, so that the help is quick."""

from typing import Literal

Channels = Literal["auto", "gray", "rgb"]
LARGEST_OWN_SIZE = 64  # images that share a size keep it up to here; all others are scaled to this one
LARGEST_SIDE = 10_000  # pixels, of the images of a network
