def trace() -> None:
    """x."""
