"""`python -m cnncli` is the same program as `cnncli`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the working folder, where `-m` looks first: nothing that lies there is ours to run

from cnncli.cli import main

if __name__ == "__main__":
    main()
