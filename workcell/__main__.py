"""`python -m workcell` is the command `workcell`."""

import sys

from workcell.cli import main

if __name__ == "__main__":
    sys.exit(main())
