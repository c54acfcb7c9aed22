"""A model's report as one HTML page, one file for each section of it."""
