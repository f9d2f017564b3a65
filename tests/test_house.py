"""The house keeps its words, its plain prose and its small rooms."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
ALL_CODE = [
    *SOURCES,
    *(path for room in ("tests", "benchmarks", "studies", "docs", ".ci") for path in (ROOT / room).rglob("*.py")),
]
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
PRIVATE = {
    "told", "heard", "asked", "dealt", "voice", "voices", "grounds", "said", "knows", "tells",
    "beside", "anew", "whoever",
}  # fmt: skip
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)
MOST_LINES, MOST_LINES_OF_A_FILE = 35, 350

# Occurrences per 1,000 words, at most; and the share of sentences of more than 25 words.
BARS = {
    "headless what": (r"\bwhat\b", 1.5),
    "say, tell or hear": (r"\b(say|says|said|tell|tells|told|hear|hears|heard|speak|speaks)\b", 1.0),
    "semicolons": (r";", 3.0),
}
LONG, MOST_LONG = 25, 0.10


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def identifiers(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each name that is bound or read, with its line."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.alias(name=name, asname=alias):
                yield from ((each, node.lineno) for each in (*name.split("."), alias) if each)


def parts_of(name: str) -> set[str]:
    """Return the words of an identifier.

    >>> sorted(parts_of("SaidOnce_told"))
    ['once', 'said', 'told']
    """
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


@pytest.mark.parametrize("path", ALL_CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_identifier_is_a_private_word(path):
    found = [f"line {line}: {name}" for name, line in identifiers(path) if parts_of(name) & PRIVATE]
    assert found == []
    assert parts_of(path.stem) & PRIVATE == set()


def test_a_private_word_is_found_in_each_kind_of_name(tmp_path):
    file = tmp_path / "names.py"
    file.write_text(
        "import told\nfrom x import y as heard\nclass ToldOnce: pass\n"
        "def f(asked, *, a_voice=1): dealt = g(said=1).knows\n"
    )
    assert {name for name, _ in identifiers(file) if parts_of(name) & PRIVATE} == {
        "told", "heard", "asked", "a_voice", "dealt", "said", "knows", "ToldOnce",
    }  # fmt: skip


def docstrings() -> str:
    texts = (
        ast.get_docstring(node) or ""
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, DOCUMENTED)
    )
    lines = (line for text in texts for line in text.splitlines())
    return "\n".join(line for line in lines if not line.strip().startswith((">>>", "...")))


def messages() -> str:
    """Return the strings of several words that are no docstrings: errors, findings, titles."""
    found = []
    for path in SOURCES:
        nodes = list(ast.walk(tree(path)))
        inner = {id(node.body[0].value) for node in nodes if isinstance(node, DOCUMENTED) and ast.get_docstring(node)}
        strings = (node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
        found += [node.value for node in strings if id(node) not in inner and node.value.count(" ") > 3]
    return "\n".join(found)


def pages() -> str:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return re.sub(r"^\|.*$", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)


@pytest.mark.parametrize("texts", [docstrings, messages, pages])
def test_prose_is_plain(texts):
    text = texts()
    n_words = len(re.findall(r"[A-Za-z']+", text))
    rates = {
        name: 1000 * len(re.findall(pattern, text, re.IGNORECASE)) / n_words for name, (pattern, _) in BARS.items()
    }
    lengths = [len(sentence.split()) for sentence in re.split(r"(?<=[.!?])\s+", text)]
    sentences = [length for length in lengths if length > 2]
    assert {name: rate for name, rate in rates.items() if rate > BARS[name][1]} == {}
    assert sum(length > LONG for length in sentences) / len(sentences) <= MOST_LONG


def lengths() -> dict[str, int]:
    """Return the lines of each function without its docstring."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, FUNCTIONS):
                head = node.body[0] if ast.get_docstring(node) else None
                own = node.end_lineno - node.lineno + 1 - (head.end_lineno - head.lineno + 1 if head else 0)
                found[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = own
    return found


def test_functions_and_files_are_short():
    found = lengths()
    assert median(found.values()) <= 5
    assert quantiles(found.values(), n=10)[-1] <= 14
    assert {name: n for name, n in found.items() if n > MOST_LINES} == {}
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {name: n for name, n in files.items() if n > MOST_LINES_OF_A_FILE} == {}


def public_functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{node.name}.")
        elif isinstance(node, FUNCTIONS) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node


EXPLAINED_ELSEWHERE = re.compile(r"cli/\w+\.py$|diagnose/cp\d+_\w+\.py$")
"""Commands, whose ``--help`` explains each option, and checks, whose inputs stand in the table INPUTS."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_public_function_of_three_parameters_explains_them(path):
    lacking = []
    for name, node in () if EXPLAINED_ELSEWHERE.search(str(path)) else public_functions(tree(path).body):
        given = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if len(set(given) - {"self", "cls"}) >= 3 and "Parameters\n-----" not in (ast.get_docstring(node) or ""):
            lacking.append(name)
    assert lacking == []


def test_no_two_modules_on_the_path_of_the_tests_have_one_name():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = settings["tool"]["pytest"]["ini_options"]["pythonpath"]
    names = Counter(path.stem for folder in folders for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")
    assert [name for name, n in names.items() if n > 1] == []
