"""Images while they are read, on stderr."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cnncli.reports.console import stderr


class ReadingBar:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        console = stderr()
        self._progress = Progress(
            TextColumn("reading images"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> "ReadingBar":
        self._progress.start()
        self._task = self._progress.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def move(self, done: int, total: int) -> None:
        """So many of so many are read; the bar moves a hundred times in all."""
        if done % (total // 100 + 1) == 0 or done == total:
            self._progress.update(self._task, completed=done, total=total)
