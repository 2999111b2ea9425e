"""Adding a figure: what follows by itself, what is refused, what is asked, and that nothing is half written."""

import builtins
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers import cli, evidence, params, store
from helpers.commands import figure_effect, new_figure

DATA = params.ROOT / "data"
GIVEN = {
    "outage": "whatsapp-2014-02-22",
    "service": "Telegram",
    "value": "6500000",
    "unit": "users",
    "qualifier": "about",
    "quantity": "signups",
    "reading": "increment",
    "start": "2014-02-22",
    "end": "2014-02-23",
    "scope": "world",
    "claimant-class": "press",
    "source-url": "https://example.org/telegram",
    "source-title": "Telegram adds millions",
    "source-publisher": "Example News",
    "source-date": "2014-02-24",
}
NEW = "whatsapp-2014-02-22--telegram--12"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def typed(folder: Path, *more: str, **changed: str | None) -> list[str]:
    given = {**GIVEN, **{name.replace("_", "-"): text for name, text in changed.items()}}
    words = [word for name, text in given.items() if text is not None for word in (f"--{name}", text)]
    return ["add-figure", *words, "--no-fit", *more, "--data", str(folder)]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Type answers in a terminal; the prompts that were shown are returned."""
    prompts: list[str] = []

    def install(*lines: str) -> list[str]:
        left: Iterator[str] = iter(lines)

        def answer(prompt: str = "") -> str:
            prompts.append(prompt)
            return next(left)

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(builtins, "input", answer)
        return prompts

    return install


def test_what_follows_is_filled_in() -> None:
    figures, outages = store.read(DATA, "growth_figures"), store.read(DATA, "outages")
    cells = {"outage_id": "whatsapp-2014-02-22", "service_id": "telegram", "quantity": "signups"}
    made = new_figure.completed(
        {**cells, "unit": "users/s", "value": "100", "reading": "rate_instant", "claimant_class": "panel",
         "window_start_utc": "2014-02-22T19:00Z", "window_end_utc": "2014-02-22T22:48Z", "scope": "world"},
        figures, outages,
    )  # fmt: skip
    assert made["figure_id"] == NEW
    assert (made["measure"], made["value_kind"], made["claimed_by"]) == ("signup_rate", "absolute", "analytics_firm")
    assert (made["window_precision"], made["window_hours"], made["role"]) == ("hour", "3.8", "gainer")
    days = new_figure.completed({**cells, "window_start_utc": "2014-02-22", "window_end_utc": "2014-02-25"}, [], [])
    assert (days["window_precision"], days["window_hours"]) == ("day", "96")
    own = new_figure.completed({**cells, "service_id": "whatsapp", "unit": "percent", "value": "-5"}, figures, outages)
    assert (own["role"], own["value_kind"], own["window_hours"]) == ("failing_service", "percent", "")
    kept = new_figure.completed({**cells, "measure": "total_users", "geography": "Spain"}, figures, outages)
    assert (kept["measure"], kept["geography"]) == ("total_users", "Spain")


def test_a_known_page_is_not_added_again() -> None:
    pages = store.read(DATA, "sources")
    known = next(page for page in pages if page["url"])
    given = {"source_url": known["url"] + "/", "source_title": "x", "source_publisher": "y"}
    assert new_figure.source_row(given, pages) == known
    new = {"source_url": "https://example.org/a", "source_title": "Ein Titel: Ü!", "source_publisher": ""}
    first = new_figure.source_row(new, pages)
    again = new_figure.source_row({**new, "source_url": "https://example.org/b"}, [*pages, first])
    assert first["source_id"] == "ein-titel"
    assert again["source_id"] == "ein-titel-2"


def test_a_dry_run_shows_the_rows_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = evidence.data_hash(folder)
    assert cli.main(typed(folder)) == 0
    shown = capsys.readouterr().out
    assert NEW in shown
    assert "example-news-telegram-adds-millions-2014" in shown
    assert "nothing written; add --write" in shown
    assert evidence.data_hash(folder) == before


def test_written_rows_pass_the_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in evidence.TABLES}
    assert cli.main(typed(folder, "--write")) == 0
    assert f"written: {NEW}" in capsys.readouterr().out
    assert evidence.check(folder) == []
    for name in evidence.TABLES:
        now = (folder / f"{name}.csv").read_text(encoding="utf-8")
        added = now.removeprefix(before[name])
        assert now.startswith(before[name])
        assert added.count("\n") == (name in ("growth_figures", "sources"))
    assert cli.main(typed(folder, "--write", value="7000000")) == 0  # the page is known by now
    assert [row["figure_id"] for row in store.read(folder, "growth_figures")][-2:] == [NEW, NEW[:-2] + "13"]
    assert sum(row["url"] == GIVEN["source-url"] for row in store.read(folder, "sources")) == 1
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"value": "6.5 million"}, 1, "a number without thousands separators"),
        ({"value": "6.5 million", "scope": None}, 1, "a number without thousands separators"),
        ({"unit": "people"}, 1, "percent, ratio, rank, countries, or one of users"),
        ({"start": "22.2.2014"}, 1, "window_start_utc: '22.2.2014': a date 2014-02-22"),
        ({"unit": "users/day"}, 1, "fits the reading"),
        ({"reading": "incremental"}, 1, "did you mean increment?"),
        ({"end": "2014-02-21"}, 1, "a time after window_start_utc"),
        ({"source_url": "example.org"}, 1, "an address"),
        ({"service": "telegrm"}, 2, "did you mean telegram?"),
        ({"outage": "whatsapp-2014-02-23"}, 2, "did you mean whatsapp-2014-02-22"),
        ({"value": None, "scope": None}, 2, "--value, --scope as well"),
        ({"source_title": None}, 2, "--source-title as well"),
    ],
)
def test_what_cannot_be_used_is_said_and_not_written(
    folder: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, str | None], code: int, message: str
) -> None:
    before = evidence.data_hash(folder)
    assert cli.main(typed(folder, "--write", **changed)) == code
    captured = capsys.readouterr()
    assert message in captured.out + captured.err
    assert evidence.data_hash(folder) == before


def test_the_same_row_is_not_written_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(typed(folder, "--write")) == 0
    before = evidence.data_hash(folder)
    assert cli.main(typed(folder, "--write")) == 1
    assert f"{NEW} says the same of the same hours by the same page" in capsys.readouterr().err
    assert evidence.data_hash(folder) == before


def test_a_claim_that_was_told_already_is_pointed_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(typed(folder, value="1800000")) == 0
    assert "Told already? whatsapp-2014-02-22--telegram--4" in capsys.readouterr().out


def test_a_terminal_is_asked_for_what_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str], answers: Callable[..., list[str]]
) -> None:
    prompts = answers("telegrm", "telegram", "incrmnt", "increment", "", "2014-02-22", "y")
    words = typed(folder, service=None, reading=None, start=None)
    assert cli.main(words) == 0
    shown = capsys.readouterr().out
    assert "did you mean telegram?" in shown
    assert "expected one of: increment" in shown
    assert [prompt.split(":")[0] for prompt in prompts[:-1]] == [
        "service_id", "service_id", "reading", "reading", "window_start_utc", "window_start_utc",
    ]  # fmt: skip
    assert prompts[-1].startswith("Write it?")
    assert store.read(folder, "growth_figures")[-1]["figure_id"] == NEW


def test_a_terminal_may_mend_what_is_wrong_and_say_no(
    folder: Path, capsys: pytest.CaptureFixture[str], answers: Callable[..., list[str]]
) -> None:
    before = evidence.data_hash(folder)
    prompts = answers("6500000", "2014-02-24", "n")
    assert cli.main(typed(folder, value="6,500,000", end="2014-02-20")) == 0
    assert prompts[0] == "value: "
    assert prompts[1].startswith("window_end_utc [2014-02-20]")  # a date by itself, but not after its start
    assert capsys.readouterr().out.endswith("nothing written\n")
    assert evidence.data_hash(folder) == before


class TestEffect:
    def effect(self, folder: Path, **changed: str) -> str:
        rows = store.read(folder, "growth_figures")
        cells = {
            "outage_id": "whatsapp-2014-02-22", "service_id": "telegram", "value": "6500000", "unit": "users",
            "qualifier": "about", "quantity": "signups", "reading": "increment", "window_start_utc": "2014-02-22",
            "window_end_utc": "2014-02-23", "scope": "world", "claimant_class": "press",
            "source_ids": rows[0]["source_ids"],
        }  # fmt: skip
        row = new_figure.completed({**cells, **changed}, rows, store.read(folder, "outages"))
        with store.trial(folder, {"growth_figures": [*rows, row]}) as copy:
            lines = figure_effect.effect(evidence.load(folder), evidence.load(copy), row["figure_id"])
        return "\n".join(lines)

    def test_a_figure_that_agrees_narrows(self, folder: Path) -> None:
        said = self.effect(folder)
        assert "enters the curve of Telegram and fits the others" in said
        assert "extra users within a week: " in said
        assert " a day -> " in said

    def test_a_figure_that_cannot_be_true_is_called_out(self, folder: Path) -> None:
        assert "does not fit the others" in self.effect(folder, value="900000000")

    def test_what_cannot_be_true_beside_another_is_named_whatever_the_curve(self, folder: Path) -> None:
        day = {"window_start_utc": "2014-02-23", "window_end_utc": "2014-02-23", "claimant_class": "company"}
        said = self.effect(folder, value="3000000", **day)
        assert "Without any curve: About 4.95 million users (23 Feb 2014) and about 3 million users" in said
        assert "cannot both be true" in said
        assert "Without any curve" not in self.effect(folder, value="5000000", **day)

    def test_a_first_figure_makes_a_curve(self, folder: Path) -> None:
        said = self.effect(folder, service_id="viber")
        assert "no curve before -> " in said

    def test_a_rank_is_shown_and_on_no_curve(self, folder: Path) -> None:
        said = self.effect(folder, quantity="store_rank", reading="context", unit="rank", value="3")
        assert said.startswith("It is shown in the report but on no curve: a rank")

    def test_the_failing_service_has_no_curve(self, folder: Path) -> None:
        assert "the failing service itself" in self.effect(folder, service_id="whatsapp")
