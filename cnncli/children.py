"""Child processes of ours: the one way to start one.

A child is Python with one of cnncli's modules. It looks for modules where they are installed, never in the working
folder; it has a session of its own, so that what a terminal sends to all its processes (Ctrl-C, its hanging up) reaches
the parent alone, which answers for all; and it ends with its parent, however that ends: Linux kills it, and elsewhere
it meets the end of its stdin.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO

START = "import sys; sys.path.append(sys.argv[1]); from cnncli.children import begin; begin()"
HOME = Path(__file__).parent.parent  # where cnncli lies; behind all else, for it may be the working folder
NOT_OURS = "wrote an answer that is not ours: the file writes to the pipe of its report"
LENGTH = 8  # bytes that tell how long a message is
KILL_AT_PARENTS_END = 1  # PR_SET_PDEATHSIG of Linux' prctl


class ChildEnded(Exception):
    """A child ended where an answer was due; the text says how it ended: "was ended by SIGKILL"."""


class Child:
    """A process that runs `main(*arguments)` of one of cnncli's modules, and pipes to its stdin and stdout.

    Raises OSError where the system gives no process or no pipe. Start it from a thread that lives as long as the child.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-P", "-c", START, str(HOME), str(os.getpid()), module, *arguments]
        self._process = subprocess.Popen(  # noqa: S603  our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # the threads of BLAS would only be in the way
            start_new_session=True,
        )
        self._input, self._output = _not_none(self._process.stdin), _not_none(self._process.stdout)

    def send(self, *messages: bytes) -> None:
        """Write messages to its stdin. Raises ChildEnded."""
        try:
            for message in messages:
                write_message(self._input, message)
        except (OSError, ValueError):  # ValueError: it was stopped meanwhile
            raise ChildEnded(self._tell_end()) from None

    def receive(self) -> bytes:
        """Wait for the next message on its stdout. Raises ChildEnded."""
        try:
            message = read_message(self._output)
        except (MemoryError, OverflowError):  # no length that was ours
            raise ChildEnded(NOT_OURS) from None
        except (OSError, ValueError):  # ValueError: it was stopped meanwhile
            message = None
        if message is None:
            raise ChildEnded(self._tell_end())
        return message

    @contextmanager
    def limit_waiting(self, seconds: float) -> Iterator[None]:
        """Stop it if what is done here takes longer by the clock; then ChildEnded says so."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.stop()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True  # a signal may strike before it can be cancelled
        timer.start()
        try:
            yield
        except ChildEnded:
            if late.is_set():
                raise ChildEnded(f"was still running after {seconds:g} s and was stopped") from None
            raise
        finally:
            timer.cancel()

    def stop(self) -> None:
        """End it at once, and all that it started, whatever they are doing."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # the group of its own session
        self._process.kill()
        self._process.wait()
        if sys.is_finalizing():  # a thread may stand still with the lock of a pipe, and Python would abort
            return
        self._output.close()
        with suppress(OSError):  # what it has not read any more
            self._input.close()

    def _tell_end(self) -> str:
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        number = -code
        known = number in set(signal.Signals)
        return f"was ended by {signal.Signals(number).name if known else f'signal {number}'}"


def begin() -> None:
    """What a child does first; its arguments are those of `Child`, with the parent's process number before them."""
    parent, module, *arguments = sys.argv[2:]
    end_with_parent(int(parent))
    sys.argv = [module, *arguments]
    import_module(module).main(*arguments)


def end_with_parent(parent: int) -> None:
    """On Linux: have the system kill this process when its parent, or the thread of it that started this, ends."""
    if sys.platform != "linux":
        return
    import ctypes  # only a child needs it

    ctypes.CDLL(None).prctl(KILL_AT_PARENTS_END, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before
        os._exit(1)


def write_message(file: IO[bytes], message: bytes) -> None:
    """Write the length and the bytes. Raises OSError."""
    file.write(len(message).to_bytes(LENGTH, "little"))
    file.write(message)
    file.flush()


def read_message(file: IO[bytes]) -> bytes | None:
    """The next message, or None where the file ends. Raises OSError."""
    length = int.from_bytes(head, "little") if len(head := file.read(LENGTH)) == LENGTH else None
    message = file.read(length) if length is not None else None
    return message if message is not None and len(message) == length else None


def _not_none(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101  it was asked for
    return pipe
