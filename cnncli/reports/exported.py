"""What `cnncli export` wrote, for people and for other programs."""

from typing import Any

from cnncli.exporting.export import Exported
from cnncli.reports.console import stdout
from cnncli.text import printable


def exported_document(exported: Exported) -> dict[str, Any]:
    """The file and how it compares, for JSON."""
    return {
        "file": str(exported.path),
        "checked_by": exported.checked_by,
        "images": exported.images,
        "source": exported.source,
        "largest_difference": exported.largest_difference,
    }


def print_exported(exported: Exported) -> None:
    """The same for people."""
    out = stdout()
    out.print(f"{printable(exported.path)}: {exported.written}", soft_wrap=True)
    if exported.largest_difference is None:
        out.print(f"checked by {exported.checked_by}", soft_wrap=True)
    else:
        out.print(
            f"parity with predict: {exported.images} {exported.source}, run by {exported.checked_by}: "
            f"largest difference of a probability {exported.largest_difference:.1e}",
            soft_wrap=True,
        )
