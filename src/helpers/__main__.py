"""Lets ``python -m helpers`` do what ``adoption`` does."""

from helpers.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
