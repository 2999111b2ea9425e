"""The record a report leaves behind."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from helpers import results

ESTIMATE = results.Estimate(
    service="telegram", quantity="extra_users", unit="users", median=1.5e6, low=1e6, high=2e6, level=0.95
)


def record(**changes: Any) -> results.Record:
    given = {
        "notebook": "03_adoption_after_outage",
        "title": "Who gained?",
        "headline": "Telegram gained 1 to 2 million.",
        "outage_id": "whatsapp-2014-02-22",
        "parameters": {"b": 1 / 3, "a": [1]},
        "evidence_ids": ["one"],
        "estimates": [ESTIMATE],
        "diagnostics": {"effective": 1234.5},
        "data_hash": "00",
    }
    return results.Record(**{**given, **changes})


def notebook(*bundles: dict[str, Any]) -> dict[str, Any]:
    outputs = [{"output_type": "execute_result", "data": bundle} for bundle in bundles]
    return {"cells": [{"cell_type": "code", "outputs": outputs}, {"cell_type": "markdown"}]}


def test_what_is_emitted_is_read_back() -> None:
    bundle = results.emit(record())._repr_mimebundle_()
    assert results.read(notebook(bundle)).estimates == [ESTIMATE]
    assert bundle["text/plain"].startswith("Telegram gained 1 to 2 million.\ntelegram: extra_users 1e+06 to 2e+06")


def test_json_is_the_same_for_the_same_content() -> None:
    assert results.stable_json({"b": 0.1 + 0.2, "a": 1}) == '{\n "a": 1,\n "b": 0.3\n}\n'
    assert results.stable_json({"x": 123456.78901234}) == '{\n "x": 123456.789\n}\n'


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        results.Estimate(service="s", quantity="q", unit="", median=value, low=value, high=value, level=0.9)
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.stable_json(record(diagnostics={"x": value}).model_dump())


def test_intervals_are_in_order() -> None:
    with pytest.raises(ValidationError, match="does not hold"):
        results.Estimate(service="s", quantity="q", unit="", median=3, low=1, high=2, level=0.9)


def test_a_notebook_without_one_whole_record_is_refused() -> None:
    bundle = results.emit(record())._repr_mimebundle_()
    with pytest.raises(results.ResultError, match="emits no result record"):
        results.read(notebook({"text/plain": "1"}))
    with pytest.raises(results.ResultError, match="emits no result record"):
        results.read({"cells": []})
    with pytest.raises(results.ResultError, match="emits 2 result records"):
        results.read(notebook(bundle, bundle))
    broken = json.loads(json.dumps(bundle))
    del broken[results.MIME]["headline"]
    broken[results.MIME]["estimates"][0]["level"] = 95
    with pytest.raises(results.ResultError, match=r"estimates.0.level: .*headline|headline: .*"):
        results.read(notebook(broken))


def test_versions_are_those_installed() -> None:
    import pandas

    assert results.versions()["pandas"] == pandas.__version__
    assert set(results.versions()) == {"python", "numpy", "pandas", "scipy", "statsmodels", "adoption"}


def test_files_are_put_in_place_whole(tmp_path: Path) -> None:
    place = results.Place(tmp_path, "slug")
    place.put({"html": "one", "json": "two"})
    assert {path.name for path in tmp_path.iterdir()} == {"slug.html", "slug.json"}


def test_only_dead_runs_are_swept(tmp_path: Path) -> None:
    place = results.Place(tmp_path, "slug")
    living, dead, other = (
        f".slug.{os.getppid()}.part.html",
        ".slug.99999999.part.html",
        ".slug--1.99999999.part.html",
    )
    for name in (living, dead, other):
        (tmp_path / name).touch()
    place.part("ipynb").touch()
    place.sweep()
    assert {path.name for path in tmp_path.iterdir()} == {living, other}
