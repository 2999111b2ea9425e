"""What holds the project together: one set of ranges, a lock without addresses, notebooks that keep the rules."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from notebook_rules import faults

ROOT = Path(__file__).parents[1]
#: Names that differ on conda-forge: there the plain name pulls in a graphical toolkit or a browser.
CONDA = {
    "matplotlib": "matplotlib-base",
    "nbconvert": "nbconvert-core",
    "pandera": "pandera-pandas",
    "seaborn": "seaborn-base",
}


def _ranges(requirements: list[str]) -> dict[str, str]:
    parts = (re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", line.replace(" ", "")) for line in requirements)
    return {match[1]: match[2] for match in parts if match}


def test_conda_and_pip_ask_for_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = _ranges([*project["dependencies"], *project["optional-dependencies"]["lab"]])
    wanted = {CONDA.get(name, name): span for name, span in wanted.items()}
    wanted["python"] = project["requires-python"]
    conda = _ranges(yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"])
    conda.pop("pip")
    assert conda == wanted


def test_lock_has_hashes_and_no_addresses():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "index" not in re.sub(r"^[a-z0-9-]+==.*$", "", lock, flags=re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_lock_holds_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    assert set(_ranges(asked)) <= locked


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path):
    assert faults(path) == []


def test_rules_see_what_is_wrong(tmp_path):
    broken = tmp_path / "broken.ipynb"
    broken.write_text(
        '{"cells": [{"cell_type": "code", "id": "a", "execution_count": 3, "metadata": {"papermill": {}}, '
        '"outputs": [], "source": "def f():\\n    return 1"}], '
        '"metadata": {"papermill": {}}, "nbformat": 4, "nbformat_minor": 5}'
    )
    found = "\n".join(faults(broken))
    for words in ("top headings", "tag `parameters`", "timings", "stored outputs", "defines a function", "no prose"):
        assert words in found


def test_importing_the_package_is_light():
    heavy = "('matplotlib', 'statsmodels', 'pandas', 'scipy', 'numpy')"
    code = f"import sys, helpers; print([m for m in {heavy} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert seen.strip() == "[]"


def test_make_alone_explains_its_targets():
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("setup", "reports", "test", "lab", "check", "bench"):
        assert f"make {target} " in shown


def test_every_module_is_readable_in_one_sitting():
    long = {path.name: n for path in (ROOT / "src").rglob("*.py") if (n := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_a_pull_request_that_touches_data_is_checked(tmp_path):
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "evidence.yml").read_text())
    assert workflow[True]["pull_request"]["paths"] == ["data/**"]  # yaml reads the key "on" as true
    steps = [step.get("run", "") for step in workflow["jobs"]["check"]["steps"]]
    assert "make setup" in steps
    assert ".ci/evidence" in steps
    assert ".ci/evidence" in (ROOT / ".ci" / "run").read_text()


def test_ci_names_file_and_line_of_a_problem(tmp_path):
    script = ROOT / ".ci" / "evidence"
    if not (ROOT / ".venv" / "bin" / "adoption").exists():
        pytest.skip("the script runs what make setup installs into .venv")
    good = subprocess.run([script], capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout[:3]) == (0, "ok:")
    shutil.copytree(ROOT / "data", tmp_path / "data")
    table = tmp_path / "data" / "services.csv"
    lines = table.read_text(encoding="utf-8").split("\n")
    lines[4] = lines[4].replace("false", "no").replace("true", "no")
    table.write_text("\n".join(lines), encoding="utf-8")
    bad = subprocess.run([script, tmp_path / "data"], capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stdout.startswith("::error file=data/services.csv,line=5::is_group: 'no': true or false")
