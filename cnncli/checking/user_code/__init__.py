"""A backward pass that somebody else wrote: what it must define, the process it runs in, the checks."""
