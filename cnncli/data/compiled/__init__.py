"""Plain PNG files in C (png.c), and what Python does around it."""
