"""Real series kept beside the repository, for the tests that ask for one."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "series"


def series(name: str) -> Path:
    """Return the path of a real series ("nab_counts/nyc_taxi_30min.csv"); skip the test where it is not kept."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the real series {name} is not in ../shared/series beside this checkout")
    return path
