import math
import re
import subprocess
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers import words
from helpers.table import Table

UNITS = {"": 1.0, "million": 1e6, "billion": 1e9}
counts = st.floats(min_value=1, max_value=9e11)


def parse(text: str) -> list[float]:
    """The numbers of a range in words; a unit word that both ends share stands behind the second."""
    found = re.findall(r"([\d,.]+)(?: (million|billion))?", text)
    values, units = [float(n.replace(",", "")) for n, _ in found], [unit for _, unit in found]
    if len(units) == 2 and not units[0] and values[0] < 1000:
        units[0] = units[1]
    return [value * UNITS[unit] for value, unit in zip(values, units, strict=True)]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (342_000, 602_000, "340,000 to 600,000"),
        (1.23e6, 1.91e6, "1.2 to 1.9 million"),
        (9.4e6, 13.2e6, "9.4 to 13 million"),
        (6.26e6, 9.84e6, "6.3 to 9.8 million"),
        (900_400, 1.4e6, "900,000 to 1.4 million"),
        (999_600, 1.4e6, "1 to 1.4 million"),
        (0, 80, "fewer than 100"),
        (0, 0, "none"),
        (0, 340_100, "0 to 340,000"),
        (1, 1.2e6, "up to 1.2 million"),
        (3.4, 12.6, "3 to 13"),
        (1.22, 1.49, "about 1"),  # not 1.49 -> 1.5 -> 2
        (4.93e6, 4.94e6, "about 4.9 million"),
        (-1.2e6, 3e5, "−1.2 million to 300,000"),
        (-1.94e6, -1.2e6, "−1.9 to −1.2 million"),
        (-0.2, 5e5, "0 to 500,000"),
        (3e6, math.inf, "over 3 million"),
        (-math.inf, 3e6, "under 3 million"),
        (math.nan, 1, "unknown"),
        (-math.inf, math.inf, "unknown"),
        (8e8, 1.44e10, "800 million to 14 billion"),
    ],
)
def test_interval(low: float, high: float, text: str) -> None:
    assert words.interval(low, high) == text


def test_interval_refuses_swapped_ends() -> None:
    for function in (words.interval, words.rate_interval, words.duration_interval):
        with pytest.raises(ValueError, match="above the high end"):
            function(2, 1)


@given(counts, st.floats(min_value=1, max_value=1000))
def test_interval_reads_back_to_two_digits(low: float, ratio: float) -> None:
    high = low * ratio
    ends = parse(words.interval(low, high))
    if words.interval(low, high).startswith("up to"):
        assert low < 1000 < high / 999
        ends = [low, *ends]
    for end, value in zip(ends if len(ends) == 2 else ends * 2, (low, high), strict=True):
        # whole people below ten, two digits above: never more than 5% from what was computed
        assert abs(end - value) <= max(0.5, 0.05 * value) * (1 + 1e-9)


@given(counts, st.floats(min_value=0, max_value=1))
def test_interval_ignores_what_two_digits_do_not_carry(low: float, extra: float) -> None:
    high = words.significant(low * (1 + extra))
    low = min(words.significant(low), high)
    assume(low >= 100 or low % 1 != 0.5)  # below a hundred a half is the border between two whole people
    assert words.interval(low, high) == words.interval(min(low * (1 + 1e-6), high), high)


@pytest.mark.parametrize(
    ("per_second", "text"),
    [
        (86.4, "86 a second"),
        (1.44, "1.4 a second"),
        (4 / 60, "4 a minute"),
        (12 / 3600, "12 an hour"),
        (5 / 86400, "5 a day"),
        (0.1 / 86400, "fewer than 1 a day"),
        (0.999, "1 a second"),
        (1.2e7, "12 million a second"),
        (-3, "−3 a second"),
        (0, "none"),
        (math.inf, "unknown"),
    ],
)
def test_rate(per_second: float, text: str) -> None:
    assert words.rate(per_second) == text


def test_rate_interval() -> None:
    assert words.rate_interval(40.2, 86.4) == "40 to 86 a second"
    assert words.rate_interval(0.5, 86.4) == "0.5 to 86 a second"
    assert words.rate_interval(0, 4 / 60) == "0 to 4 a minute"
    assert words.rate_interval(1e-9, 3) == "0 to 3 a second"
    assert words.rate_interval(3, 3.001) == "about 3 a second"
    assert words.rate_interval(100, math.inf) == "over 100 a second"
    assert words.rate_interval(math.nan, 3) == "unknown"
    assert words.rate_interval(0, 0) == "none"


@given(st.floats(min_value=1e-4, max_value=1e6))
def test_rate_reads_back(per_second: float) -> None:
    match = re.fullmatch(r"([\d,.]+)( million)? an? (second|minute|hour|day)", words.rate(per_second))
    assert match
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[match[3]]
    value = float(match[1].replace(",", "")) * (1e6 if match[2] else 1) / seconds
    assert value == pytest.approx(per_second, rel=0.051)


def test_duration() -> None:
    shown = [words.duration(h) for h in (3.8, 0.75, 912, 1, 24, 48, 60, 3000, 1 / 120, math.nan)]
    assert shown == [
        *("3.8 hours", "45 minutes", "38 days", "1 hour", "24 hours", "2 days", "2.5 days", "125 days"),
        *("30 seconds", "unknown"),
    ]
    assert words.duration_interval(4.1, 9.8) == "4.1 to 9.8 hours"
    assert words.duration_interval(0.75, 3) == "45 minutes to 3 hours"
    assert words.duration_interval(5, 60) == "5 hours to 2.5 days"
    assert words.duration_interval(0, 3) == "0 to 3 hours"
    assert words.duration_interval(1, 1) == "about 1 hour"
    assert words.duration_interval(72, math.inf) == "over 3 days"


def test_moment() -> None:
    assert words.moment(pd.Timestamp("2014-02-22T19:00Z")) == "22 Feb 2014, 19:00 UTC"
    assert words.moment(pd.Timestamp("2014-02-22T20:00+01:00")) == "22 Feb 2014, 19:00 UTC"
    assert words.moment(pd.NaT) == words.moment(None) == "unknown"
    with pytest.raises(ValueError, match="no time zone"):
        words.moment(pd.Timestamp("2014-02-22"))


def test_percent_and_listing_and_count() -> None:
    shown = [words.percent(p) for p in (0.424, 0, 1, 0.002, 0.999, -0.1, math.nan)]
    assert shown == ["42%", "0%", "100%", "less than 1%", "more than 99%", "−10%", "unknown"]
    assert [words.listing("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    shown = [words.count(x) for x in (342_123, 4.95e6, 12.4, -2e6, 0, math.nan, 340e6)]
    assert shown == ["342,000", "4.95 million", "12", "−2 million", "0", "unknown", "340 million"]


@pytest.mark.parametrize(
    ("value", "unit", "qualifier", "text"),
    [
        (100, "users/s", "about", "about 100 users a second"),
        (6000, "users/min", "more_than", "over 6,000 users a minute"),
        (9e6, "users", "more_than", "over 9 million users"),
        (4.95e6, "users", "", "4.95 million users"),
        (1_234_567, "installs", "exact", "1,234,567 installs"),
        (279_000, "installs/day", "about", "about 279,000 installs a day"),
        (10, "ratio", "", "10 times"),
        (1.5, "ratio", "up_to", "up to 1.5 times"),
        (404, "percent", "", "+404 percent"),
        (-7.5, "percent", "about", "about −7.5 percent"),
        (5, "rank", "exact", "rank 5"),
        (12, "visits/hour", "none", "12 visits an hour"),
        (math.nan, "users", "about", "no figure"),
        (None, "", "", "no figure"),
        (7, "", "", "7"),
    ],
)
def test_published(value: float | None, unit: str, qualifier: str, text: str) -> None:
    assert words.published(value, unit, qualifier) == text


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(), st.text())
def test_table_shows_markup_as_text(cell: str, address: str) -> None:
    frame = pd.DataFrame({"a": [cell], "url": [address]}, dtype=object)
    reader = Reader()
    reader.feed(Table(frame, "Caption", links={"a": "url"})._repr_html_())
    allowed = {"table", "caption", "thead", "tbody", "tr", "th", "td", "a"}
    assert {tag for tag, _ in reader.tags} <= allowed
    assert " ".join(cell.split()) in reader.text.replace("\n", " ") or "\r" in cell or "\x00" in cell
    for tag, attributes in reader.tags:
        if tag == "a":
            assert (attributes["href"] or "").startswith(("http://", "https://"))


def test_table() -> None:
    frame = pd.DataFrame(
        {
            "who": ["<script>alert(1)</script>", "Line & co"],
            "extra": [1234567, 2],
            "range": ["1 to 2 million", ""],
            "when": pd.to_datetime(["2014-02-22T19:00Z", None], utc=True),
            "url": ["javascript:alert(1)", 'https://example.org/?a="b"&c'],
        }
    )
    shown = Table(frame, "Who & what", links={"who": "url"}, align={"range": "num"})
    markup = shown._repr_html_()
    assert "<script" not in markup
    assert "javascript" not in markup
    assert "<caption>Who &amp; what</caption>" in markup
    assert '<th scope="col" class="num">extra</th>' in markup
    assert '<td class="num">1,234,567</td>' in markup
    assert '<a href="https://example.org/?a=&quot;b&quot;&amp;c" rel="noopener">Line &amp; co</a>' in markup
    assert "url" not in shown.columns
    assert repr(shown).splitlines()[0] == "Who & what"
    assert "22 Feb 2014, 19:00 UTC" in repr(shown)
    missing = pd.DataFrame({"n": pd.array([1, None], "Int64"), "t": pd.array(["<NA>", None], "string")})
    assert Table(missing, "Missing").cells == [["1", "<NA>"], ["", ""]]
    with pytest.raises(ValueError, match="caption"):
        Table(frame, " ")
    with pytest.raises(ValueError, match="no column nope"):
        Table(frame, "x", align={"nope": "num"})


def test_words_need_no_plotting_library() -> None:
    code = "import helpers.words, sys; print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
