"""Image folders, one image's pixels, the array of a data set, splits."""
