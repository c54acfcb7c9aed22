"""Every error that a person can cause, as one tree; each class carries the exit code of the command.

CnncliError                1
├── UsageError             2  an option or argument that makes no sense
│   └── ArchitectureError  2  a network whose shapes do not fit
├── DataError              3  images, folders or files that cannot be used
│   └── ImageError         3  one image file that cannot be read
├── ModelError             3  a model file that cannot be used
└── Diverged               4  the loss is no longer a finite number

Stopped             130, 143  SIGINT or SIGTERM; like KeyboardInterrupt outside the tree, so that no handler swallows it

The text of each is one sentence: what is wrong, where, and what to do.
"""


class CnncliError(Exception):
    """Base of all errors that cnncli raises on purpose."""

    exit_code = 1


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

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason


class ModelError(CnncliError):
    """A model file that cannot be used."""

    exit_code = 3


class Diverged(CnncliError):
    """The loss is no longer a finite number."""

    exit_code = 4


class Stopped(BaseException):
    """A signal asked the command to stop: 130 for SIGINT, 143 for SIGTERM."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
