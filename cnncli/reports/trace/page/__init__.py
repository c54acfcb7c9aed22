"""The page of a trace: one HTML file in which every number is alive, made of the record and the steps of its chain."""
