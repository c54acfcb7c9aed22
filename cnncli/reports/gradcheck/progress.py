"""A bar on stderr for checks that take long."""

import time

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cnncli.reports.console import stderr

PATIENCE = 1.0  # seconds before the bar appears


class CheckProgress:
    """Counts what is done; shows a bar on a terminal once it takes longer than a second."""

    def __init__(self, total: int, unit: str) -> None:
        self._console = stderr()
        self._progress = Progress(
            TextColumn("checked {task.completed:,.0f} of {task.total:,.0f} " + unit),
            BarColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=total)
        self._since = time.monotonic()
        self._shown = False

    def __enter__(self) -> "CheckProgress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._progress.stop()

    def advance(self, done: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, done)
        if not self._shown and time.monotonic() - self._since > PATIENCE:
            self._progress.start()
            self._shown = True
