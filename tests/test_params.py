"""Parameters: every fault at once, each with what was given, what was expected and near matches."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers import declared, models, params
from helpers.params import Known, ParameterError, check

KNOWN = Known(
    services={
        "telegram": "Telegram",
        "line": "LINE",
        "kakao": "KakaoTalk",
        "whatsapp": "WhatsApp",
        "x": "X (Twitter)",
    },
    outages={
        "whatsapp-2014-02-22": "whatsapp",
        "whatsapp-2015-12-17-brazil": "whatsapp",
        "line-2018-01-01": "line",
    },
    rivals={"whatsapp-2014-02-22": ("telegram", "line"), "whatsapp-2015-12-17-brazil": ("telegram",)},
    figures={"whatsapp-2014-02-22": ("telegram", "line"), "whatsapp-2015-12-17-brazil": ("telegram", "whatsapp")},
)


def faults(given: dict[str, Any], evidence: Any = KNOWN) -> str:
    with pytest.raises(ParameterError) as caught:
        check("03", given, evidence)
    return str(caught.value)


def test_defaults_hold() -> None:
    found = check("03", {}, KNOWN)
    assert found.outage_id == "whatsapp-2014-02-22"
    assert found.changed() == {}


def test_text_from_a_command_line_becomes_what_it_means() -> None:
    typed = {
        "outage_id": "WHATSAPP-2014-02-22",
        "rivals": "LINE, telegram,Telegram",
        "horizon_hours": "72",
        "baseline_per_day": "Telegram=100000, line=5e5",
        "level": "0.9",
        "seed": "7",
    }
    assert check("03", typed, KNOWN).model_dump() == {
        "outage_id": "whatsapp-2014-02-22",
        "rivals": ["line", "telegram"],
        "horizon_hours": 72.0,
        "baseline_per_day": {"telegram": 100000.0, "line": 500000.0},
        "level": 0.9,
        "seed": 7,
    }


def test_checking_twice_changes_nothing() -> None:
    once = check("03", {"rivals": "Line", "baseline_per_day": "450000", "level": 0.5}, KNOWN)
    assert check("03", once.model_dump(), KNOWN) == once


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", "high"),
        ("level", True),
        ("level", 1),
        ("level", 0.49),
        ("level", None),
        ("level", [0.9]),
        ("horizon_hours", -3),
        ("horizon_hours", 0),
        ("horizon_hours", 8761),
        ("horizon_hours", math.inf),
        ("horizon_hours", "nan"),
        ("horizon_hours", False),
        ("baseline_per_day", "lots"),
        ("baseline_per_day", "telegram=lots"),
        ("baseline_per_day", {"telegram": -1}),
        ("baseline_per_day", {"telegram": True}),
        ("baseline_per_day", {"telegram": math.nan}),
        ("baseline_per_day", [1]),
        ("rivals", 3),
        ("rivals", [3]),
        ("seed", -1),
        ("seed", 1.5),
        ("seed", 2**32),
        ("seed", True),
        ("outage_id", 2014),
    ],
)
def test_says_what_was_given_and_what_was_expected(name: str, value: object) -> None:
    message = faults({name: value})
    assert f"{name}: given {value!r}, expected " in message
    assert len(message.splitlines()) == 2


def test_all_faults_at_once() -> None:
    message = faults({"level": 95, "outage_id": "whatsap-2014-02-22", "hrizon_hours": 3, "rivals": "telegrm"})
    assert "4 parameters cannot be used" in message
    assert "level: given 95, expected a number from 0.5 to below 1; did you mean 0.95?" in message
    assert "did you mean whatsapp-2014-02-22" in message
    assert "no such parameter; did you mean horizon_hours?" in message
    assert "did you mean telegram?" in message


def test_an_unknown_outage_lists_those_of_its_service() -> None:
    message = faults({"outage_id": "whatsapp-2030-01-01"})
    assert "outages of WhatsApp: whatsapp-2014-02-22, whatsapp-2015-12-17-brazil" in message
    assert "line-2018" not in message


def test_a_rival_without_figures_is_told_who_has_some() -> None:
    message = faults({"rivals": ["KakaoTalk"]})
    assert "rivals: given 'KakaoTalk'" in message
    assert "whatsapp-2014-02-22 has figures for telegram, line" in message
    assert "has figures for nobody" in faults({"outage_id": "line-2018-01-01", "rivals": "telegram"})


def test_a_single_baseline_needs_a_single_rival() -> None:
    assert check("03", {"rivals": "line", "baseline_per_day": 500_000}, KNOWN).baseline_per_day == 500_000
    assert "as all rivals are looked at" in faults({"baseline_per_day": 500_000})
    assert "as 2 rivals are looked at" in faults({"baseline_per_day": "500000", "rivals": "line,telegram"})
    assert "expected only the rivals looked at: line" in faults(
        {"baseline_per_day": {"telegram": 1.0}, "rivals": "line"}
    )


def test_types_are_checked_without_evidence() -> None:
    assert check("03", {"outage_id": "anything"}).outage_id == "anything"
    assert "level" in faults({"level": "high"}, None)


def test_frames_and_files_know_the_same() -> None:
    from helpers import evidence

    given = {"rivals": "Telegram,LINE"}
    known = params.known_in(params.ROOT / "data")
    assert check("03", given, evidence.load(params.ROOT / "data")) == check("03", given, known)
    assert "failing" not in known.rivals["whatsapp-2014-02-22"]
    assert {"telegram", "line"} <= set(known.rivals["whatsapp-2014-02-22"])


@pytest.mark.parametrize("name", ["03", "3", "03_adoption_after_outage", "notebooks/03_adoption_after_outage.ipynb"])
def test_notebooks_go_by_number_or_name(name: str) -> None:
    assert params.resolve(name) == "03_adoption_after_outage"


@pytest.mark.parametrize("name", ["09", "03_adoption_after_outages", "", "adoption_after_outage"])
def test_unknown_notebooks_list_near_matches(name: str) -> None:
    with pytest.raises(ParameterError, match="03_adoption_after_outage"):
        params.resolve(name)


def notebooks() -> list[Path]:
    return sorted((params.ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_parameters_cells_declare_what_the_models_hold(notebook: Path) -> None:
    declared.check_declared(notebook, models.NOTEBOOKS[notebook.stem])


def test_a_parameters_cell_that_differs_is_named(tmp_path: Path) -> None:
    source = (Path(__file__).parent / "notebooks" / "good.ipynb").read_text(encoding="utf-8")
    notebook = tmp_path / "n.ipynb"
    notebook.write_text(source.replace("level: float = 0.95", "level: float = 0.9"), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"level: 0\.9 in the notebook, 0\.95 in the model"):
        declared.check_declared(notebook, models.AdoptionAfterOutage)
    notebook.write_text(source.replace("seed: int = 20140222", "x = 1"), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"expected `name: type = value`, found `x = 1`"):
        declared.check_declared(notebook, models.AdoptionAfterOutage)
    # Papermill's own reader overlooks such a parameter and warns that it is unknown.
    notebook.write_text(source.replace("per_day: object", "per_day: float | None"), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"baseline_per_day: papermill cannot read a type with \|"):
        declared.check_declared(notebook, models.AdoptionAfterOutage)


def refused(notebook: str, given: dict[str, Any]) -> str:
    with pytest.raises(ParameterError) as caught:
        check(notebook, given, KNOWN)
    return str(caught.value)


def test_a_history_takes_names_dates_and_kinds() -> None:
    typed = {"services": "WhatsApp, line", "since": "2014", "until": "2020-07", "kinds": "outage,block"}
    found = check("01", typed, KNOWN)
    assert found.services == ["whatsapp", "line"]
    assert (found.since, found.until) == ("2014-01-01", "2020-07-01")
    assert found.kinds == ["outage", "block"]
    assert found.subject() == "whatsapp-line"
    assert check("01", {}, KNOWN).subject() == "all"
    assert check("01", {"since": 2014}, KNOWN).since == "2014-01-01"  # papermill makes a number of -p since 2014


def test_a_history_cannot_begin_after_the_evidence() -> None:
    ending = replace(KNOWN, last="2026-02-27")
    assert check("01", {"since": "2026-02-27"}, ending)
    with pytest.raises(ParameterError, match="which ends on 2026-02-27"):
        check("01", {"since": "2030"}, ending)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"services": "whatsap"}, "did you mean whatsapp?"),
        ({"since": "22.2.2014"}, "expected a day, month or year"),
        ({"since": "2014-02-30"}, "expected a day, month or year"),
        ({"since": 2014.5}, "expected a day, month or year"),
        ({"since": "2020", "until": "2019"}, "expected a day after since"),
        ({"kinds": "outtage"}, "expected some of outage, block"),
        ({"kinds": []}, "expected some of outage, block"),
        ({"outage_id": "whatsapp-2014-02-22"}, "no such parameter"),
    ],
)
def test_a_history_refuses(given: dict[str, Any], message: str) -> None:
    assert message in refused("01", given)


def test_figures_of_one_service_after_one_outage_or_all() -> None:
    assert check("02", {"service": "LINE"}, KNOWN).subject() == "line--whatsapp-2014-02-22"
    for every in ("", "all", "ALL"):
        found = check("02", {"service": "telegram", "outage_id": every, "per": "second"}, KNOWN)
        assert (found.outage_id, found.subject()) == ("all", "telegram--all")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"service": "telegramm"}, "did you mean telegram?"),
        ({"service": "line", "outage_id": "whatsapp-2015-12-17-brazil"}, "LINE has figures after whatsapp-2014-02-22"),
        ({"service": "whatsapp"}, "has figures after whatsapp-2015-12-17-brazil"),
        ({"service": "x"}, "expected one with published figures: telegram, line"),
        ({"outage_id": "whatsapp-2014-02-23"}, "did you mean whatsapp-2014-02-22"),
        ({"per": "week"}, "expected one of second, hour, day"),
    ],
)
def test_figures_refuse(given: dict[str, Any], message: str) -> None:
    assert message in refused("02", given)
