"""Unshutter: opens the window; with a command, runs it without one. `python main.py --help` says which."""

from __future__ import annotations

import sys


def main() -> int:
    try:
        from app import cli
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed: run `pip install .` in this folder first.", file=sys.stderr)
        return 2
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
