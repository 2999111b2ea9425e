"""How quick and how safe it is to make reports again: against the notebooks' own time, after a change, after kill -9.

    python bench/reports.py [--kills 50]

Writes bench/reports.csv, one row a measure with its limit. Two reports are made at the same time, on two cores. The
floor is half of what the cells took in that same run, by nbclient's time stamps, plus a timed kernel start for each
report. The kills hit `adoption report --jobs 2 --force` on quick fixture notebooks, at moments spread over the whole
run; after each, every file in its place is read, and a run without --force has to complete.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import pandas as pd
from speed import ONE_THREAD, ROOT, RUNS, kernel_start

HERE = Path(__file__).parent
#: A published count that no pair of claimants is made of, and the reports that use it.
FIGURE = "facebook-2019-03-13--telegram--1"
USE_IT = "02 telegram, 02 telegram, 03 facebook-2019-03-13, 06 all, 07 tiktok"
#: Reports of the runs that are killed.
QUICK = 3
KILLED = """
import sys
from pathlib import Path
from helpers import chosen, cli, report
if __name__ == "__main__":
    report.NOTEBOOKS_DIR, report.OUT_DIR = Path(sys.argv[1]), Path(sys.argv[2])
    chosen.REPORTS = tuple(("03_adoption_after_outage", {"seed": seed}) for seed in range(int(sys.argv[3])))
    sys.exit(cli.main(["report", "--jobs", "2", *sys.argv[4:]]))
"""
Measure = tuple[str, float, float | None, str]


def adoption(*words: str) -> tuple[float, str]:
    """Seconds that a whole command takes, and what it says."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "helpers", "report", *words]
    run = subprocess.run(command, cwd=ROOT, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return time.perf_counter() - began, run.stdout


def told(said: str, status: str) -> list[str]:
    """Return notebook and subject of the reports that a run tells to have made."""
    lines = [line for line in said.splitlines() if line.startswith(f"{status}: ")]
    paths = [Path(line.partition(": ")[2].partition(".html")[0]) for line in lines]
    return sorted(f"{path.parent.name[:2]} {path.name.partition('--')[0]}" for path in paths)


def change(table: Path) -> None:
    """Change the value of FIGURE."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["figure_id"] == FIGURE:
            row["value"] = "3100000"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def reports(folder: Path) -> list[Measure]:
    """All reports, nothing changed, one figure changed."""
    data, out = folder / "tables", folder / "reports"
    shutil.copytree(ROOT / "data", data)
    words = ("--data", str(data), "--out", str(out), "--jobs", "2")
    start, load = kernel_start(), os.getloadavg()[0]
    whole, said = adoption(*words, "--force")
    made = told(said, "made")
    own = 0.0
    for path in out.glob("*/*.ipynb"):
        cells = json.loads(path.read_bytes())["cells"]
        own += sum(cell["metadata"]["papermill"].get("duration") or 0 for cell in cells) + start
    quiet = [adoption(*words) for _ in range(RUNS)]
    assert all(told(words, "made") == [] for _, words in quiet)
    change(data / "growth_figures.csv")
    seconds, said = adoption(*words)
    again = ", ".join(told(said, "made"))
    return [
        ("load of the machine before", load, None, ""),
        ("all reports: s", whole, None, f"{len(made)} reports"),
        ("half of their cells and kernel starts: s", own / 2, None, ""),
        ("all reports over that", whole / (own / 2), 1.25, ""),
        ("nothing changed: s", median(took for took, _ in quiet), 1.5, f"{len(made)} reports looked at"),
        ("one figure changed: s", seconds, None, again),
        (
            "one figure changed: reports made too many or too few",
            len(set(again.split(", ")) ^ set(USE_IT.split(", "))),
            0,
            "",
        ),
    ]


def whole_files(folder: Path) -> tuple[bool, bool]:
    """Say whether every file in its place is whole, and whether every page is the one of its record."""
    try:
        for path in folder.rglob("[!.]*.html"):
            assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
        for path in (*folder.rglob("[!.]*.json"), *folder.rglob("[!.]*.ipynb")):
            assert json.loads(path.read_bytes())
    except (AssertionError, ValueError):
        return False, False
    from helpers import results

    records = [(path, json.loads(path.read_bytes())) for path in folder.rglob("[!.]*.json")]
    pages = [results.sha(path.with_suffix(".html").read_bytes()) == record["page_sha256"] for path, record in records]
    return True, all(pages)


def kills(folder: Path, times: int) -> list[Measure]:
    """Kill runs at moments spread evenly at random, and look at what they leave."""
    notebooks, out = folder / "notebooks", folder / "quick"
    shutil.copytree(ROOT / "notebooks", notebooks)
    shutil.copyfile(ROOT / "tests" / "notebooks" / "good.ipynb", notebooks / "03_adoption_after_outage.ipynb")
    script = folder / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    command = [sys.executable, str(script), str(notebooks), str(out), str(QUICK)]
    options = {"env": os.environ | ONE_THREAD, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    began = time.perf_counter()
    subprocess.run([*command, "--force"], check=True, **options)
    takes = time.perf_counter() - began
    chance = random.Random(20140222)
    whole, together, completed, killed = 0, 0, 0, 0
    while killed < times:
        run = subprocess.Popen([*command, "--force"], **options)
        time.sleep(takes * (killed + chance.random()) / times)
        if run.poll() is not None:  # quicker than the first one: another try, a little earlier
            takes *= 0.95
            continue
        run.send_signal(signal.SIGKILL)
        run.wait()
        killed += 1
        sound, same = whole_files(out)
        whole, together = whole + sound, together + same
        completed += subprocess.run(command, check=False, **options).returncode == 0 and all(whole_files(out))
    subprocess.run([*command, "--force"], check=True, **options)
    left = len(list(out.rglob(".*")))
    return [
        ("killed: runs that were under way", times, None, f"{QUICK} quick reports, {takes:.1f} s a run"),
        ("killed: every file whole (at least)", whole, times, ""),
        ("killed: page and record of the same run", together, None, "the others were made again"),
        ("killed: the next run completes (at least)", completed, times, ""),
        ("killed: files left over after one more whole run", left, 0, ""),
    ]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="runs that are killed (default: 50)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [*reports(Path(folder)), *kills(Path(folder), wanted.kills)]
    made = pd.DataFrame(rows, columns=["measure", "value", "limit", "what"])
    made.to_csv(HERE / "reports.csv", index=False, float_format="%.3f", lineterminator="\n")
    print(made.to_string(index=False))


if __name__ == "__main__":
    main()
