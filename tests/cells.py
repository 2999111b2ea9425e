"""Notebook cells in this process: what a kernel would show of them, without the seconds that starting one takes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from ipykernel.jsonutil import encode_images
from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config

from helpers import report

report._load()  # before anything else loads papermill, for the same reason as there

from nbformat.v4 import new_output  # noqa: E402
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines  # noqa: E402


class Here(Engine):  # type: ignore[misc]
    """A papermill engine with a shell of its own, but the modules, filters and environment of this process."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **_: Any) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance(config=config)  # what `display` looks for
        try:
            for index, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, index)
                if cell.cell_type == "code":
                    result, cell.outputs = _run(shell, cell.source)
                    if not result.success:
                        nb_man.cell_exception(cell, cell_index=index)
                        break
                nb_man.cell_complete(cell, index)
        finally:
            InteractiveShell.clear_instance()


def _run(shell: InteractiveShell, source: str) -> tuple[ExecutionResult, list[Any]]:
    shown: list[dict[str, Any]] = []
    shell.display_pub = CapturingDisplayPublisher()
    shell.display_pub.outputs = shown
    shell.display_trap.hook = CapturingDisplayHook(shell, shown)
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        result = shell.run_cell(source)
    streams = [("stdout", out.getvalue()), ("stderr", err.getvalue())]
    outputs = [new_output("stream", name=name, text=text) for name, text in streams if text]
    for one in shown:
        outputs.append(new_output("display_data", data=encode_images(one["data"]), metadata=one["metadata"] or {}))
    if not result.success:
        error = result.error_before_exec or result.error_in_exec
        outputs.append(new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[repr(error)]))
    return result, outputs


@contextmanager
def here() -> Iterator[None]:
    """Run notebooks in this process as long as the block lasts."""
    usual = papermill_engines.get_engine(None)
    papermill_engines.register(None, Here)
    try:
        yield
    finally:
        papermill_engines.register(None, usual)
