"""The ``adoption`` command: reports, checks of the tables, what is in the evidence."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers import __version__, params, schemas
from helpers.commands import add_figure, imports, outages, panel, report, terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 well, 1 something failed, 2 it was asked wrongly.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after the command's name; by default that of this process.
    """
    options = _parser().parse_args(arguments)
    options.data = getattr(options, "folder", None) or getattr(options, "data", None)
    # A polite end is an end like Ctrl-C: workers and kernels are stopped, nothing is left half written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if getattr(options, "tables", True) and (fault := terminal.no_folder(params.evidence_folder(options.data))):
        return terminal.complain(fault, 1)
    try:
        with terminal.lasting_output():
            return int(options.run(options))
    except params.ParameterError as error:
        return terminal.complain(str(error), 2)
    except KeyboardInterrupt:
        return terminal.complain("stopped", 130)
    except EOFError:  # Ctrl-D where an answer was expected
        print(file=sys.stderr)
        return terminal.complain("the answers ended: nothing written", 1)
    except (OSError, RuntimeError, ValueError) as error:
        # Reports, tables and pages have their own errors; each message stands by itself.
        problems = getattr(error, "problems", None)
        if problems is None and type(error).__module__.partition(".")[0] != "helpers":
            return terminal.complain(f"{type(error).__name__}: {error}", 1)
        return terminal.complain(terminal.problem_lines(problems) if problems else str(error), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="adoption", description="Who gains when a service goes down.")
    parser.add_argument("--version", action="version", version=f"adoption {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    report.add(commands)

    check = commands.add_parser("check", help="list every problem in the evidence tables")
    place = check.add_mutually_exclusive_group()
    place.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="folder of the tables (default: data)")
    terminal.add_data_option(place)
    check.set_defaults(run=_check)

    imports.add(commands)
    outages.add(commands)
    panel.add(commands)
    add_figure.add(commands)
    return parser


def _check(options: argparse.Namespace) -> int:
    from helpers import evidence

    data = params.evidence_folder(options.data)
    problems = evidence.check(data)
    for problem in problems:
        print(terminal.problem_line(problem))
    if problems:
        return terminal.complain(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in {data}", 1)
    count = sum(len(params.rows(data, table)) for table in schemas.FIELDS)
    print(f"ok: {count:,} rows in {len(schemas.FIELDS)} tables")
    return 0
