"""Every error that a person can cause, as one tree; each class carries the exit code of the command.

CnncliError                1
├── UsageError             2  an option or argument that makes no sense
│   └── ArchitectureError  2  a network whose shapes do not fit
├── DataError              3  images, folders or files that cannot be used
│   └── ImageError         3  one image file that cannot be read
├── ModelError             3  a model file that cannot be used
└── Diverged               4  the loss is no longer a finite number

Stopped  129, 130 or 143  SIGHUP, SIGINT or SIGTERM; like KeyboardInterrupt outside the tree: no handler swallows it

The text of each is one sentence: what is wrong, where, and what to do. It names no option: where an argument is to
blame, or helps, the error says which, and the command line writes it as its option.
"""

from collections.abc import Callable

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without typing
if TYPE_CHECKING:
    from pathlib import Path


class CnncliError(Exception):
    """Base of all errors that cnncli raises on purpose.

    `argument` is the subject of the sentence, the argument (or arguments) that the message is about: with it
    "dark is no class" becomes "label dark is no class". `remedy` is the argument that helps, the sentence's end:
    "replace the run in it" becomes "replace the run in it with force".
    """

    exit_code = 1

    def __init__(self, message: str, *, argument: str | tuple[str, ...] = (), remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.arguments = (argument,) if isinstance(argument, str) else argument
        self.remedy = remedy

    def __str__(self) -> str:
        return self.phrase(str)

    def phrase(self, written: Callable[[str], str]) -> str:
        """The whole sentence, each argument written as its reader writes it."""
        subject = " and ".join(map(written, self.arguments))
        sentence = f"{subject} {self.message}" if subject else self.message
        return f"{sentence} with {written(self.remedy)}" if self.remedy else sentence


class UsageError(CnncliError):
    """An option or argument that makes no sense."""

    exit_code = 2


class ArchitectureError(UsageError):
    """A network whose shapes do not fit together."""


class DataError(CnncliError):
    """Images, folders or files that cannot be used."""

    exit_code = 3


class ImageError(DataError):
    """One image file that cannot be read; `reason` is the sentence without the path."""

    def __init__(self, path: "Path", reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> "tuple[type[ImageError], tuple[Path, str]]":
        return ImageError, (self.path, self.reason)


class ModelError(CnncliError):
    """A model file that cannot be used."""

    exit_code = 3


class Diverged(CnncliError):
    """The loss is no longer a finite number."""

    exit_code = 4


class Stopped(BaseException):
    """A signal asked the command to stop; the exit code is 128 plus its number, `remedy` the argument that goes on."""

    def __init__(self, message: str, exit_code: int, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.remedy = remedy

    def phrase(self, written: Callable[[str], str]) -> str:
        """The whole sentence, the argument written as its reader writes it."""
        return f"{self}; {written(self.remedy)} goes on from here" if self.remedy else str(self)


class ReaderGone(BaseException):
    """Whoever read the output has gone; no OSError, which Typer would make exit code 1 of."""
