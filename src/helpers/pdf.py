"""A report on paper: its finished page, printed to a PDF by a browser of this machine.

nbconvert's own way (webpdf) starts no installed browser, only the one that Playwright has downloaded for itself.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from helpers import results, together

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
#: Seconds that one page may take; one or two are usual.
TIMEOUT = 60.0
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync"),
    "--disable-dev-shm-usage",  # 64 MB of it in a container are too little for a long page
)


class PdfError(RuntimeError):
    """No PDF could be made; the message says why and what to do."""


def browser() -> str:
    """Return the program that prints: the one that ``CHROME`` names, or the first that is installed.

    Raises
    ------
    PdfError
        If there is none; the message says what to install.
    """
    given = os.environ.get("CHROME")
    found = next((path for name in ([given] if given else NAMES) if (path := shutil.which(name))), None)
    if found is None:
        looked = f"CHROME names {given}, which is no program" if given else f"none of {', '.join(NAMES)} is installed"
        raise PdfError(
            f"no PDF: {looked}; install Chromium or Chrome (apt install chromium, brew install --cask chromium), "
            "or name the program of one in CHROME"
        )
    return found


def is_fresh(place: results.Place) -> bool:
    """Say whether the PDF in its place is whole and printed from the page beside it."""
    try:
        return place.file("pdf").read_bytes().endswith(_end(place))
    except OSError:
        return False


def write(place: results.Place, timeout: float = TIMEOUT) -> Path:
    """Print a report's page to a PDF beside it; an earlier PDF stays until the new one is whole.

    Parameters
    ----------
    place : results.Place
        Where the report stands.
    timeout : float
        Seconds that the browser may take.

    Raises
    ------
    PdfError
        If there is no browser, or it fails; the page stays as it is.
    """
    program, part = browser(), place.part("pdf")
    try:
        end = _end(place)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            _run(program, place, Path(profile), timeout)
        with part.open("ab") as file:
            file.write(end)
        with together.alone(place.folder):
            if _end(place) != end:
                raise PdfError(f"{place.slug}: no PDF: the page was made again meanwhile; ask once more")
            return part.replace(place.file("pdf"))
    except OSError as error:
        raise PdfError(f"{place.slug}: no PDF: {error.filename or part}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _run(program: str, place: results.Place, profile: Path, timeout: float) -> None:
    """Run the browser on the page, until the temporary PDF is there."""
    part, page, told = place.part("pdf"), place.file("html").resolve().as_uri(), profile / "told"
    command = [program, *OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={part}", page]
    with told.open("wb") as file:
        # A group of its own: a browser is many processes, and all of them have to go when it hangs.
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    try:
        code = run.wait(timeout)
    except subprocess.TimeoutExpired:
        raise PdfError(f"{place.slug}: no PDF: {program} took longer than {timeout:g} s") from None
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    if code or not part.is_file() or not part.read_bytes().rstrip().endswith(b"%%EOF"):
        said = told.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        why = said[-1] if said else f"it ended with {code}"
        raise PdfError(f"{place.slug}: no PDF: {program} could not print the page: {why[:300]}")


def _end(place: results.Place) -> bytes:
    """Return the comment that a PDF ends with: of which page it is."""
    return f"% page {results.sha(place.file('html').read_bytes())}\n".encode()
