"""How an argument of a function is written on the command line."""

SHORTER = {"learning_rate": "--lr", "validation_fraction": "--val-fraction"}  # than the argument's own name


def flag(argument: str) -> str:
    """The option of an argument: image_size is --image-size."""
    return SHORTER.get(argument, f"--{argument.replace('_', '-')}")
