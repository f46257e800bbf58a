"""`python -m workcell` is the command `workcell`."""

from workcell.cli import main

if __name__ == "__main__":
    main()
