"""Sources people have become series: each format by its content, from a file or an address, or a plain refusal."""

import contextlib
import gzip
import http.server
import importlib.util
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_series import series

from helpers.reading import ColumnError, ReadingError, SeriesError, fetch, long_table, read

ROOT = Path(__file__).resolve().parents[1]
SIMULATED = ROOT / "data" / "simulated"
PLAIN = "time,signups\n2025-03-05T00:00Z,3\n2025-03-05T01:00Z,5\n2025-03-05T02:00Z,8\n"
TOR = """#
# The Tor Project
#
# Estimated number of directly connecting clients
#
date,country,users,lower,upper,frac
2024-01-01,,444507,,,72
2024-01-01,tn,1210,800,1600,72
2024-01-02,,440000,,,71
2024-01-02,tn,1180,790,1590,71
2024-01-03,,450000,,,71
2024-01-03,tn,{last},790,1590,71
"""
WEEKS = [
    {"week": str(1669505410 - 604800 * back), "statuses": "100", "logins": str(back), "registrations": str(10 * back)}
    for back in range(12)
]


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(*args, error=ReadingError, by=read, **more):
    with pytest.raises(error) as caught:
        by(*args, **more)
    # Nothing of a library's own trouble is shown under the message.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


# --- text


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "dressed", [str.encode, lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16")]
)
def test_separators_and_byte_order_marks_are_told_by_content(tmp_path, separator, dressed):
    found = read(put(tmp_path, "data.txt", dressed(PLAIN.replace(",", separator))))
    assert found.counts.tolist() == [3, 5, 8]
    assert found.source == "data.txt"


def test_gzip_is_unpacked_whatever_the_name_and_not_without_end(tmp_path):
    assert read(put(tmp_path, "data.csv", gzip.compress(PLAIN.encode()))).counts.sum() == 16
    assert "gzip that cannot be unpacked" in refused(put(tmp_path, "half.gz", gzip.compress(PLAIN.encode())[:40]))
    bomb = put(tmp_path, "bomb.gz", gzip.compress(b"0" * 3_000_000))
    with pytest.raises(ReadingError, match="unpacked more than 2 MB"):
        fetch.fetch(bomb, most=2_000_000)


def test_lines_are_those_of_the_file(tmp_path):
    text = '# from the export\n\ntime,note,signups\n2025-03-05,"two\nlines",3\n\n2025-03-06,,x\n'
    message = refused(put(tmp_path, "a.csv", text), "time", "signups", error=SeriesError)
    assert "a.csv, row 7, signups: 'x'" in message
    plain = put(tmp_path, "b.csv", "time,signups\r\n2025-03-05,3\r\n\r\n\r\n2025-03-06,x\r\n")
    assert "row 5, signups: 'x'" in refused(plain, "time", "signups", error=SeriesError)
    with pytest.raises(SeriesError, match="row 5, signups: 'x'"):
        long_table(plain, [], "time", "signups")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "nothing in it"),
        ("# only\n# comments\n", "nothing in it"),
        ("time,signups\n2025-03-05,3,4\n2025-03-06,3\n", "no table of text"),
        (b"time,signups\n2025-03-05,\xff\n", "row 2: not UTF-8"),
        (b"\x00\x01\x02\x03", "not text"),
        ("<!doctype html><html></html>", "a web page or XML"),
        (b"PK\x03\x04rest", "a spreadsheet or zip"),
        (b"PAR1 and no more", "Parquet that cannot be read"),
        ("{", "JSON that cannot be read"),
        ('{"items": []}', "no items"),
        ('{"items": [{"views": 3}]}', "items without a timestamp"),
        ('{"title": "Not found.", "detail": "no data for this date"}', "refuses: Not found. no data for this date"),
        ('[{"a": 1}]', "JSON of an unknown form"),
        ("[" * 100_000, "JSON that cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path, content, said):
    message = refused(put(tmp_path, "file.dat", content))
    assert message.startswith("file.dat")
    assert said in message


def test_a_file_that_is_not_there():
    assert refused("nowhere.csv") == "nowhere.csv: no such file"


PIECES = [
    "time",
    "n",
    "2025-03-05",
    "2025-03-06",
    ",",
    ";",
    "\t",
    "\n",
    '"',
    "#",
    "3",
    "-1",
    "\r",
    "x",
    "é",
    "NA",
    "[",
    "{",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=40), st.lists(st.sampled_from(PIECES), max_size=40).map(lambda p: "".join(p).encode()))
)
def test_any_bytes_are_read_or_refused_in_words(tmp_path, content):
    path = put(tmp_path, "any.dat", content)
    for reader in (
        lambda: read(path),
        lambda: read(path, "time", "n"),
        lambda: long_table(path, (), "time", wide=True),
    ):
        with contextlib.suppress(ReadingError, SeriesError):
            reader()


# --- columns


def test_columns_are_guessed_only_when_one_can_be_meant(tmp_path):
    path = put(tmp_path, "a.csv", "day,site,signups,control\n2025-03-05,x,3,7\n2025-03-06,x,4,8\n")
    message = refused(path)
    assert "value_column is not given and 2 columns could be it" in message
    assert "day (time), site (text), signups (number), control (number)" in message
    assert read(path, controls=["control"]).counts.name == "signups"
    assert read(path, value_column="signups").counts.tolist() == [3, 4]
    two = put(tmp_path, "b.csv", "from,to,n\n2025-03-05,2025-03-06,3\n2025-03-06,2025-03-07,4\n")
    assert "time_column is not given and 2 columns could be it" in refused(two)
    none = put(tmp_path, "c.csv", "year,n\n2024,3\n2025,4\n")
    assert "no column is a time" in refused(none)


def test_one_series_of_a_long_table_is_chosen_by_where(tmp_path):
    text = "day,country,n\n" + "".join(f"2025-03-0{day},{land},{day}\n" for day in (5, 6, 7) for land in ("DE", "FR"))
    path = put(tmp_path, "long.csv", text)
    assert "several series, one for each country ('DE', 'FR'): choose one with where={'country': 'DE'}" in refused(path)
    assert read(path, where={"country": "FR"}).counts.tolist() == [5, 6, 7]
    assert "where country is 'FRA', expected one of DE, FR; did you mean FR?" in refused(path, where={"country": "FRA"})
    assert "row 1: no column 'land', expected one of day, country, n" in refused(path, where={"land": "FR"})
    assert read(path, "day", "n", fix=["sum_duplicates"]).counts.tolist() == [10, 12, 14]


# --- formats


def test_tor_metrics_need_a_country(tmp_path):
    path = put(tmp_path, "userstats-relay-country.csv", TOR.format(last=1175))
    assert "where={'country': 'tn'}" in refused(path)
    found = read(path, where={"country": "tn"})
    assert found.counts.tolist() == [1210, 1180, 1175]
    assert found.counts.name == "users"
    assert read(path, where={"country": ""}).counts.iloc[0] == 444507  # the whole world
    broken = put(tmp_path, "userstats-relay-country.csv", TOR.format(last="12x"))
    assert "row 12, users: '12x'" in refused(broken, where={"country": "tn"}, error=SeriesError)


@pytest.mark.parametrize(
    ("stamps", "step", "first"),
    [
        (("2015100100", "2015100200", "2015100400"), "1D", "2015-10-01T00:00Z"),
        (("2015100122", "2015100123", "2015100201"), "1h", "2015-10-01T22:00Z"),
        (("20151001", "20151002", "20151004"), "1D", "2015-10-01T00:00Z"),
    ],
)
def test_wikimedia_page_views(tmp_path, stamps, step, first):
    items = [{"project": "en.wikipedia", "timestamp": stamp, "views": n} for n, stamp in enumerate(stamps)]
    found = read(put(tmp_path, "views.json", json.dumps({"items": items})))
    np.testing.assert_array_equal(found.counts, [0, 1, np.nan, 2])
    assert found.step == pd.Timedelta(step)
    assert found.counts.index[0] == pd.Timestamp(first)
    assert "leaves out steps without views" in found.notes[0]
    assert not any("no zone" in note for note in found.notes)


def test_mastodon_activity(tmp_path):
    path = put(tmp_path, "activity.json", json.dumps(WEEKS))
    found = read(path)
    assert (found.counts.name, found.step) == ("registrations", pd.Timedelta(days=7))
    np.testing.assert_array_equal(found.counts, [*range(110, 0, -10), np.nan])
    # 1669505410 is 2022-11-26 23:30:10: the days added up begin with the 26th, in UTC.
    assert found.counts.index[-1] == pd.Timestamp("2022-11-26T00:00Z")
    assert "newest week" in found.notes[0]
    assert read(path, value_column="logins").counts.iloc[0] == 11


def test_parquet_keeps_its_times(tmp_path):
    aware = pd.DataFrame({"at": pd.date_range("2025-03-05", periods=3, freq="h", tz="Asia/Tokyo"), "n": [1, None, 3]})
    aware.to_parquet(tmp_path / "aware.parquet")
    found = read(tmp_path / "aware.parquet")
    assert found.counts.index[0] == pd.Timestamp("2025-03-04T15:00Z")
    np.testing.assert_array_equal(found.counts, [1, np.nan, 3])
    naive = aware.assign(at=aware["at"].dt.tz_localize(None)).set_index("at")
    naive.to_parquet(tmp_path / "naive.dat")
    found = read(tmp_path / "naive.dat")
    assert found.counts.index[0] == pd.Timestamp("2025-03-05T00:00Z")
    assert "no zone" in found.notes[0]
    aware.assign(n=[1, -2, 3]).to_parquet(tmp_path / "bad.parquet")
    assert "row 3, n: '-2" in refused(tmp_path / "bad.parquet", error=SeriesError)


def test_totals_are_read_as_increments(tmp_path):
    path = put(tmp_path, "users.csv", "day,users,more\n2025-03-05,100,1\n2025-03-06,104,1\n2025-03-07,111,1\n")
    found = read(path, value_column="users", cumulative=True)
    assert found.counts.tolist() == [4, 7]
    assert "increments of a running total" in " ".join(found.notes)
    assert "expected none with cumulative" in refused(path, value_column="users", controls=["more"], cumulative=True)


# --- addresses


@pytest.fixture(scope="module")
def site():
    """Serve a few paths from this machine; return the address of the server."""
    frame = io.BytesIO()
    pd.DataFrame({"at": pd.date_range("2025-03-05", periods=3, tz="UTC"), "n": [1, 2, 3]}).to_parquet(frame)
    pages = {"/plain.csv": PLAIN.encode(), "/packed": gzip.compress(PLAIN.encode()), "/frame": frame.getvalue()}
    pages["/activity"] = json.dumps(WEEKS).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.split("?")[0]
            if path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/plain.csv")
                self.end_headers()
                return
            if path == "/slow":
                done.wait(5)
            self.send_response(200 if path in pages else 404)
            self.end_headers()
            self.wfile.write(pages.get(path, b"nothing of this name"))

        def log_message(self, *args):
            pass

    done = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    done.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("path", "total"), [("plain.csv?key=1", 16), ("packed", 16), ("moved", 16), ("frame", 6)])
def test_an_address_is_read_like_a_file(site, path, total):
    found = read(f"{site}/{path}")
    assert found.counts.sum() == total
    assert found.source == f"{site}/{path.split('?')[0]}"  # what a query holds may be secret


def test_an_address_that_gives_nothing_is_a_plain_message(site):
    assert refused(f"{site}/none") == f"{site}/none: the server answers 404: nothing of this name"
    with pytest.raises(ReadingError, match="more than 0 MB"):
        fetch.fetch(f"{site}/plain.csv", most=20)
    with pytest.raises(ReadingError, match=r"no answer within 0\.2 seconds"):
        fetch.fetch(f"{site}/slow", timeout=0.2)
    assert "cannot be reached" in refused("http://127.0.0.1:9/x.csv")
    assert "is there a network?" in refused("http://no-such-host.invalid/x.csv")
    assert "secret" not in refused("http://user:secret@127.0.0.1:9/x.csv?token=secret")


# --- long tables


def test_a_long_table_joins_its_names_and_keeps_what_a_panel_must_see(tmp_path):
    text = "land;app;day;n\nDE;elm;2025-03-05;3\nDE;oak;2025-03-05;\nFR;elm;2025-03-05;-4\nFR;;2025-03-05;0.5\n"
    found = long_table(put(tmp_path, "long.csv", text), ["land", "app"], "day", "n")
    assert found["series"].tolist() == ["DE / elm", "DE / oak", "FR / elm", "FR / "]
    np.testing.assert_array_equal(found["count"], [3, np.nan, -4, 0.5])
    assert found["time"].dtype == "datetime64[us, UTC]"
    assert found.attrs["notes"] == ("The times carry no zone; they are read as UTC.",)
    with pytest.raises(SeriesError, match="row 3, n: 'x', expected a number"):
        long_table(put(tmp_path, "bad.csv", text.replace("03-05;\n", "03-05;x\n")), "app", "day", "n")


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_column_that_is_not_there_is_the_same_mistake_in_every_format(tmp_path, format):
    table = pd.DataFrame({"day": ["2025-03-05", "2025-03-06"], "land": ["DE", "DE"], "signups": [3, 4]})
    path = tmp_path / f"a.{format}"
    table.to_csv(path, index=False) if format == "csv" else table.to_parquet(path, index=False)
    there = f"a.{format}, row 1: no column {{!r}}, expected one of day, land, signups{{}}"
    hint = "; did you mean signups?"
    long = refused(path, "series", "day", "signup", error=ColumnError, by=long_table)
    assert long == f"{there.format('series', '')}\n{there.format('signup', hint)}"
    assert refused(path, ["signups"], "time", wide=True, error=ColumnError, by=long_table) == there.format("time", "")
    assert refused(path, [], "dy", wide=True, error=ColumnError, by=long_table) == there.format(
        "dy", "; did you mean day?"
    )
    assert refused(path, "day", "signup", error=ColumnError) == there.format("signup", hint)
    assert refused(path, controls=["contrl"], value_column="signups", error=ColumnError) == there.format("contrl", "")
    assert long_table(path, "land", "day", "signups")["count"].tolist() == [3, 4]


def test_names_of_series_need_not_be_text_in_parquet(tmp_path):
    lists = pd.DataFrame(
        {"series": [["a"], ["a"]], "time": pd.to_datetime(["2025-03-05", "2025-03-06"]), "count": [1, 2]}
    )
    lists.to_parquet(tmp_path / "lists.parquet")
    assert long_table(tmp_path / "lists.parquet", "series", "time", "count")["series"].unique().tolist() == ["['a']"]
    lists.assign(series=7).to_parquet(tmp_path / "numbers.parquet")
    assert long_table(tmp_path / "numbers.parquet", "series", "time", "count")["series"].unique().tolist() == ["7"]


def test_a_wide_table_is_melted(tmp_path):
    path = put(tmp_path, "wide.csv", "day,elm,oak\n2025-03-05,1,NA\n2025-03-06,2,4\n")
    found = long_table(path, (), "day", wide=True)
    assert found["series"].tolist() == ["elm", "elm", "oak", "oak"]
    np.testing.assert_array_equal(found["count"], [1, 2, np.nan, 4])
    assert found["time"].iloc[0] == found["time"].iloc[2] == pd.Timestamp("2025-03-05T00:00Z")
    assert long_table(path, ["oak"], "day", wide=True)["series"].unique().tolist() == ["oak"]


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_long_parquet_is_the_same_table_as_long_csv(tmp_path, zone):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "land": np.repeat(["DE", "FR", None], 40),
            "app": np.tile(["elm", "oak"], 60),
            "at": np.tile(pd.date_range("2025-03-05", periods=20, freq="h", tz=zone).repeat(2), 3),
            "n": rng.poisson(9, 120),
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    frame.assign(at=[moment.isoformat() for moment in frame["at"]]).to_csv(tmp_path / "a.csv", index=False)
    one, other = (long_table(tmp_path / name, ["land", "app"], "at", "n") for name in ("a.parquet", "a.csv"))
    pd.testing.assert_frame_equal(one.astype({"series": "str"}), other.astype({"series": "str"}))
    assert one["series"].nunique() == 6
    assert one.attrs == other.attrs


def test_eight_million_rows_would_fit_into_a_gigabyte(tmp_path):
    """Read two million rows in a process of its own: what it takes beyond an empty one is a quarter."""
    rows = 2_000_000
    days = np.tile(pd.date_range("2024-01-01", periods=400, tz="UTC"), rows // 400)
    names = np.repeat([f"country{n // 100:03d}" for n in range(rows // 400)], 400)
    frame = pd.DataFrame({"land": names, "app": "elm", "day": pd.DatetimeIndex(days), "n": np.arange(rows) % 97})
    frame.to_parquet(tmp_path / "big.parquet", row_group_size=200_000)
    code = """
import pathlib, re, resource, sys
from helpers.reading import long_table
import pyarrow.parquet

def peak():  # a child's ru_maxrss starts at its parent's on Linux, VmHWM does not
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2

before = peak()
assert len(long_table(sys.argv[1], ["land", "app"], "day", "n")) == 2_000_000
print(before, peak())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "big.parquet")],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    before, after = (float(word) for word in done.stdout.split())
    assert after > before
    assert before + 4 * (after - before) < 1000


# --- real and simulated


def test_real_files_are_read():
    assert read(series("nab_counts/nyc_taxi_30min.csv")).step == pd.Timedelta(minutes=30)
    balancer = read(series("nab_counts/elb_request_count_8c0756_5min.csv"))
    assert balancer.counts.isna().sum() == 8
    tunisia = read(series("tor_direct_users_2009_2011/direct-users.csv"), value_column="tn")
    assert tunisia.counts.loc["2011-01-12T00:00Z"] == 969
    deaths = read(
        series("economist_excess_deaths/historical-deaths__britain_weekly_deaths.csv"), "start_date", "total_deaths"
    )
    assert deaths.step == pd.Timedelta(days=7)
    many = long_table(series("tor_direct_users_2009_2011/direct-users.csv"), (), "date", wide=True)
    assert (len(many), many["series"].nunique()) == (489 * 237, 237)


@pytest.fixture(scope="module")
def generator():
    path = ROOT / "bench" / "simulated_signups.py"
    spec = importlib.util.spec_from_file_location("simulated_signups", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_simulated_files_are_what_the_generator_writes(generator, tmp_path):
    generator.write(tmp_path)
    for path in tmp_path.iterdir():
        here, there = path.read_bytes(), (SIMULATED / path.name).read_bytes()
        if path.suffix == ".gz":  # another zlib may pack the same rows otherwise
            here, there = gzip.decompress(here), gzip.decompress(there)
        assert here == there, path.name
    assert {path.name for path in SIMULATED.iterdir()} == {"README.md", *(path.name for path in tmp_path.iterdir())}


def test_the_simulated_files_say_what_they_are_and_hold_their_truth():
    readme = (SIMULATED / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# SIMULATED")
    assert "python bench/simulated_signups.py" in readme
    truth = json.loads((SIMULATED / "signups_hourly_truth.json").read_text(encoding="utf-8"))
    assert truth["simulated"]
    market = read(SIMULATED / "signups_hourly.csv", controls=["control"])
    assert len(market.counts) == 70 * 24
    missing = market.counts.index[market.counts.isna()]
    assert [f"{moment:%Y-%m-%dT%H:%MZ}" for moment in missing] == truth["missing_hours"]
    start, end = pd.Timestamp(truth["outage_start"]), pd.Timestamp(truth["outage_end"])
    inside = market.counts[start : end - pd.Timedelta(hours=1)]
    # A week before at the same hours there was no outage: a plain ratio already shows the surge.
    before = market.counts[start - pd.Timedelta(days=7) : end - pd.Timedelta(days=7, hours=1)]
    assert inside.sum() / before.sum() == pytest.approx(truth["surge"], rel=0.2)
    assert str(truth["seed"]) in readme


def test_the_simulated_panel_has_its_gainers_and_its_broken_series():
    truth = json.loads((SIMULATED / "panel_daily_truth.json").read_text(encoding="utf-8"))
    told = pd.DataFrame(truth["series"]).set_index("series")
    assert told["kind"].value_counts().to_dict() == {
        "none": 43,
        "gains": 12,
        "loses": 2,
        "too_short": 1,
        "all_zero": 1,
        "half_missing": 1,
    }
    panel = long_table(SIMULATED / "panel_daily.csv.gz", "series", "time", "count")
    sizes = panel.groupby("series", observed=True)["count"].agg(["size", "sum"])
    short, zero, half = (told.index[told["kind"] == kind][0] for kind in ("too_short", "all_zero", "half_missing"))
    assert sizes.loc[short, "size"] == 31
    assert sizes.loc[zero, "sum"] == 0
    assert 120 < sizes.loc[half, "size"] < 200
    assert (sizes["size"] == 321).sum() == 58
    assert (told.loc[told["kind"] == "none", "extra_realised"] == 0).all()
    assert (told.loc[told["kind"] == "loses", "extra_realised"] < 0).all()
    assert (told.loc[told["kind"] == "gains", "extra_realised"] > 0).all()
    assert (SIMULATED / "panel_daily.csv.gz").stat().st_size < 400_000
