"""The types that the mathematics passes around, and the letters of its shape comments.

m images, C channels, H×W pixels (of any block's input), N filters, k kernel, s pool, h×w = (H-k+1)×(W-k+1)
positions of the kernel, p×q = ⌊h/s⌋×⌊w/s⌋ pooling windows, D numbers after flatten, K outputs of the dense layer.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# float32, float64 or complex128: every function of the textbook keeps the dtype that it is given.
Array = NDArray[Any]
Labels = NDArray[np.intp]  # (m,) class indices
Parameters = dict[str, Array]  # "w1", "b1", … in the order of the blocks, the dense layer last
