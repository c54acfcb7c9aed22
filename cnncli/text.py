"""Text from outside (paths, class names) as it may be shown, and numbers that must not look alike."""

DIGITS = 17  # that tell any two float64 apart


def printable(text: object) -> str:
    """The text with every control character, and whatever has no letter of its own, written as its escape code."""
    whole = str(text)
    if whole.isprintable():
        return whole
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in whole
    )


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which keeps its ends of lines and its tabs."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def shorten(text: str, most: int) -> str:
    """The text where it has at most `most` characters, else its beginning."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def tell_apart(*numbers: float, digits: int = 6) -> list[str]:
    """Numbers with so many digits, or as many more as make those that differ look different."""
    texts = [f"{number:.{digits}g}" for number in numbers]
    if len(set(texts)) < len(set(numbers)) and digits < DIGITS:
        return tell_apart(*numbers, digits=digits + 1)
    return texts


def count(number: int, one: str, several: str) -> str:
    """A number with its noun: "1 entry", "2,000 entries"."""
    return f"{number:,} {one if number == 1 else several}"


def capitalise(text: str) -> str:
    """The text with a large first letter; str.capitalize would make the others small, L too."""
    return text[:1].upper() + text[1:]
