"""HTML pages that are one file and load nothing: their frame, the style they share, and how elements are written."""
