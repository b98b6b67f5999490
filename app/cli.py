"""The commands."""

from __future__ import annotations

import sys


def main() -> int:
    if sys.argv[1:2] == ["worker"]:
        from pathlib import Path

        from app.worker import run

        run(sys.argv[2], Path(sys.argv[3]), *sys.argv[5:6])
    return 2


if __name__ == "__main__":
    sys.exit(main())
