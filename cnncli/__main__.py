"""`python -m cnncli` is the same program as `cnncli`."""

from cnncli.cli import main

if __name__ == "__main__":
    main()
