def gradcheck() -> None:
    """x."""
