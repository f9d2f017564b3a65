"""A page of the documentation as a test: each of its blocks is run, in order, and what it prints is what is shown.

- ``console``: lines after ``$`` are run by bash; the lines below each are its output, errors included.
- ``python``: is run in the process of the page, which works as a notebook: the value of its last line is shown.  The
  ``text`` block right below is its output.
- A ``yaml``, ``python`` or ``csv`` block that opens with a comment of a file's name, ``# study.yaml``, is that file.

In an output, … stands for anything, spaces count as one, and so does any number with decimals, as each machine has its
own.
"""

import ast
import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Any, NamedTuple

TIMEOUT_S = 240
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")


class Block(NamedTuple):
    """A block of a page: its language, its text, and the line on which it begins."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of *page*."""
    source = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(source):
        yield Block(found[1], found[2], source.count("\n", 0, found.start()) + 2)


class Page:
    """Runs the blocks of a page in a folder; *env* are further variables of the environment."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        modules = os.pathsep.join(entry for entry in sys.path if entry)
        self.env = os.environ | {"PATH": path, "PYTHONPATH": modules, "COLUMNS": "100"} | (env or {})

    def run(self, page: Path) -> None:
        """Run every block; an `AssertionError` names the line of the page that is not true."""
        shown = None
        for block in blocks(page):
            where = f"{page.name}:{block.line}"
            if block.language != "text":
                assert not shown, f"{where}: the block before prints what the page does not show:\n{shown}"
            shown = self._shown(block, where, shown)

    def _shown(self, block: Block, where: str, before: str | None) -> str | None:
        if named := _NAME.match(block.text):
            (self.folder / named[1]).write_text(block.text[named.end() :], encoding="utf-8")
        elif block.language == "console":
            self._console(block, where)
        elif block.language == "python":
            return self._python(block, where)
        elif block.language == "text" and before is not None:
            _compare(block.text, before, where)
        else:
            raise AssertionError(f"{where}: this block of {block.language} has no test")
        return None

    def _console(self, block: Block, where: str) -> None:
        found = list(_COMMAND.finditer(block.text))
        assert "".join(command[0] for command in found) == block.text, f"{where}: a console begins with $"
        for command, expected in (each.groups() for each in found):
            done = subprocess.run(
                ["bash", "-c", command], cwd=self.folder, env=self.env, text=True, check=False, timeout=TIMEOUT_S,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            _compare(expected, done.stdout, f"{where}: {command}")

    def _python(self, block: Block, where: str) -> str:
        """Return what a notebook would show below a cell: what is printed, warnings, the last value or the error."""
        tree = ast.parse(block.text, where)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                exec(compile(tree, where, "exec"), self.names)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), where, "eval"), self.names)
                    printed.write("" if value is None else f"{value}\n")
            except Exception as error:
                printed.write(f"{type(error).__name__}: {error}\n")
        return "".join(f"{each.category.__name__}: {each.message}\n" for each in warned) + printed.getvalue()


def _compare(expected: str, shown: str, where: str) -> None:
    pattern, got = _plain(expected), _plain(shown)
    if not OutputChecker().check_output(pattern, got, ELLIPSIS | NORMALIZE_WHITESPACE):
        raise AssertionError(f"{where} shows\n{expected}\nand prints\n{shown}")


def _plain(output: str) -> str:
    output = re.sub(r"[-+−]?\d+\.\d+(?:e[-+]?\d+)?", "0.0", output.replace("…", "..."))
    return re.sub(r"([─═╌━])\1+", r"\1", output).strip() + "\n"
