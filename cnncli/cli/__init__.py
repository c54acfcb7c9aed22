"""The command line: one file per command. A command parses, calls one plain function and shows what it returned."""

from cnncli.cli.main import main

__all__ = ["main"]
