"""The command line: one file per command. A command parses, calls one plain function and shows what it returned."""


def main() -> None:
    """Run the command of sys.argv; signals are looked after before anything that takes time is imported."""
    from cnncli.cli.signals import stop_on_the_spot

    stop_on_the_spot()
    from cnncli.cli.program import run

    run()


__all__ = ["main"]
