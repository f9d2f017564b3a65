"""What is written beside the code is true to it."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, get_args

import polars as pl
import pytest
import yaml
from typer.main import get_command

import counterpoint
import tables
from counterpoint.acquire.statuses import RETRYABLE, STATUSES
from counterpoint.cli import app
from counterpoint.config import StudyConfig, read_study
from counterpoint.config.acquire import AcquireConfig
from counterpoint.contenders import make
from counterpoint.contenders.kept.files import keep, load
from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError
from counterpoint.settings import Section
from counterpoint.study import Study

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PAGES = [page for page in PAGES if "_build" not in page.parts]
TEXTS = {"", ".py", ".md", ".yaml", ".toml", ".txt", ".cff", ".j2", ".js", ".css", ".html"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def yaml_blocks(*, of_acquisitions: bool) -> Iterator[Any]:
    for page in PAGES:
        for number, block in enumerate(blocks(page.read_text(encoding="utf-8"), "yaml")):
            if of_acquisitions == (page.stem.startswith("acquire") and "study" not in yaml.safe_load(block)):
                yield pytest.param(yaml.safe_load(block), id=f"{page.name}-{number}")


def words_of_the_makefile() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):.*## ", read("Makefile"), re.MULTILINE))


def test_every_make_command_in_the_pages_is_a_word_of_the_makefile():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    used = set(re.findall(r"(?:`|\$ )make ([a-z][a-z0-9-]*)", text))
    assert {"demo", "test"} <= used <= words_of_the_makefile()


def test_every_command_in_the_pages_is_one_of_the_command_line():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    used = set(re.findall(r"(?:`|\$ )counterpoint ([a-z][a-z-]*)", text))
    assert {"demo", "run"} <= used <= set(get_command(app).commands)


def test_no_word_is_masked_twice():
    mask = read_study(ROOT / "studies" / "flickr8k-masked.yaml").text.mask
    assert len(mask) == len(set(mask))


@pytest.mark.parametrize("block", list(yaml_blocks(of_acquisitions=False)))
def test_a_yaml_example_is_a_study_or_a_part_of_one(block):
    whole = {"study": "example", "source": {"kind": "generated"}} | block
    config = StudyConfig.read(whole)
    assert open_source(config.source).kind == whole["source"]["kind"]
    assert all(make(entry.kind, **entry.settings) for entry in config.contenders)


@pytest.mark.parametrize("block", list(yaml_blocks(of_acquisitions=True)))
def test_a_yaml_example_is_an_acquisition_or_a_part_of_one(block):
    AcquireConfig.read({"acquisition": "example", "input": "part.parquet", "output": "acquired"} | block)


def sections(kind: Any) -> Iterator[type[Section]]:
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
        inner = [field.annotation for field in kind.model_fields.values()]
    else:
        inner = list(get_args(kind))
    yield from (section for each in inner for section in sections(each))


def test_the_reference_has_every_section_source_and_contender():
    pages = [read(f"docs/{name}.md") for name in ("study-file", "acquire-file", "sources", "contenders")]
    found = {path for page in pages for path in re.findall(r"^<!-- keys (\S+) -->", page, re.MULTILINE)}
    named = {f"{kind.__module__}:{kind.__name__}" for kind in chain(sections(StudyConfig), sections(AcquireConfig))}
    assert named <= found
    assert "<!-- sections counterpoint.data.sources:SOURCES -->" in pages[-2]  # whatever has no section of its own
    assert "<!-- sections counterpoint.contenders:MODELS -->" in pages[-1]


def test_the_pages_show_the_tables_that_the_code_has():
    assert [path.name for path, _ in tables.stale()] == []


def test_the_table_of_statuses_is_the_closed_list():
    section = read("docs/acquire.md").partition("## The statuses")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)`( \\\*)? \| (.+) \|$", section, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(STATUSES)
    assert {name for name, star, _ in rows if star} == RETRYABLE


def test_the_first_page_has_the_rates_that_the_benchmarks_measured():
    pitfalls, verdicts = (json.loads(read(f"benchmarks/results/{name}.json")) for name in ("pitfalls", "verdicts"))
    panel, many, few = pitfalls["panel"]["rate"], verdicts["2000"], verdicts["500"]
    on_real_pairs = [check for check in pitfalls["checks"].values() if any(own["planted"] for own in check["real"])]
    page = " ".join(read("README.md").split())
    assert len(on_real_pairs) == 6
    assert "six of them on real photos and drawings" in page
    small = next(size["rate"] for size in pitfalls["panel"]["elsewhere"] if (size["n"], size["ratio"]) == (300, 1))
    assert f"Of {panel['n']} clean studies of 1,000 pairs, {panel['k']} showed any warning" in page
    assert f"and of {small['n']} of 300 pairs, {small['k']}." in page
    for n_pairs, found in (("2,000", many), ("500", few)):
        right, wrong = found["right"]["k"], found["wrong"]["k"]
        assert f"Of {found['n']} studies of {n_pairs} pairs, it was right in {right} and wrong in {wrong}." in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_row_of_a_table_has_a_cell_for_each_column(page):
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(encoding="utf-8"), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    shown = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)", shown)
    assert [path for path in links if not (page.parent / path).exists()] == []


def test_the_version_is_the_same_everywhere():
    assert f"## [{counterpoint.__version__}]" in read("CHANGELOG.md")
    assert yaml.safe_load(read("CITATION.cff"))["version"] == counterpoint.__version__


def test_every_dependency_has_an_exact_version():
    project = tomllib.loads(read("pyproject.toml"))
    extras = project["project"]["optional-dependencies"].values()
    needs = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"], *chain(*extras)]
    wanted = {canonical(re.split(r"[<>=\[;]", need)[0]) for need in needs} - {"counterpoint"}
    assert wanted <= {canonical(line.partition("==")[0]) for line in read("constraints.txt").splitlines()}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def test_contributing_is_short():
    assert len(read("CONTRIBUTING.md").splitlines()) <= 50


def test_every_name_that_the_pages_show_in_python_exists():
    shown = "\n".join(block for page in PAGES for block in blocks(page.read_text(encoding="utf-8"), "python"))
    assert {"open_study", "make"} <= set(re.findall(r"\bcp\.(\w+)", shown)) <= set(counterpoint.__all__)
    assert {"scores", "compare"} <= set(re.findall(r"\bstudy\.(\w+)\(", shown)) <= set(dir(Study))


@pytest.fixture
def written(monkeypatch):
    """Makes a module of the Python examples of a page."""

    def module_of(page: str) -> ModuleType:
        module = ModuleType("written")
        monkeypatch.setitem(sys.modules, "written", module)
        for source in blocks(read(page), "python"):
            exec(source, module.__dict__)
        return module

    return module_of


def test_the_contender_of_the_contributor_guide_works_and_is_kept(written, tmp_path):
    written("CONTRIBUTING.md")
    pairs = pl.DataFrame({"text": ["a cat", "cats", "a dog", None], "image": [None] * 4})
    model = make("written:CharBayes", longest=2, seed=3).fit(pairs, ["cat", "cat", "dog", "dog"])
    assert model.predict(pl.DataFrame({"text": ["the cat"]})).tolist() == ["cat"]
    keep(model, tmp_path)
    again = load(tmp_path, trusted=["written:CharBayes"])
    assert again.predict_proba(pairs).tobytes() == model.predict_proba(pairs).tobytes()


def test_the_contender_with_a_state_of_its_own_is_kept(written, tmp_path):
    written("docs/extend.md")
    pairs = pl.DataFrame({"text": ["a cat", "cats", "a dog", None]})
    model = make("written:Lexicon").fit(pairs, ["cat", "cat", "dog", "dog"])
    keep(model, tmp_path)
    again = load(tmp_path, trusted=["written:Lexicon"])
    assert again.predict_proba(pairs).tobytes() == model.predict_proba(pairs).tobytes()
    assert model.predict(pairs[:1]).tolist() == ["cat"]


def test_the_source_and_the_check_of_the_extension_guide_work(written, tmp_path):
    module = written("docs/extend.md")
    (tmp_path / "monday.txt").write_text("It rained.")
    source = open_source({"kind": "written:Diary", "path": str(tmp_path)})
    ((records, dropped),) = source.read(tmp_path)
    assert (records["text"].to_list(), len(dropped)) == (["It rained."], 0)
    assert module.FewPairs().run(pairs=records)["severity"] == "warn"


def test_the_engine_of_the_extension_guide_does_each_task_once_and_in_order(written):
    run = written("docs/extend.md").run
    tasks = [SimpleNamespace(name="b", after=("a",)), SimpleNamespace(name="a", after=())]
    assert [(task.name, result) for task, result in run(tasks, lambda task: task.name * 2)] == [
        ("a", "aa"),
        ("b", "bb"),
    ]
    with pytest.raises(ConfigError, match="needs engine: ray"):
        list(run(tasks, str, address="head:6379"))


def test_no_file_names_a_path_of_one_machine():
    path_of_a_machine = re.compile(r"(?<![\w.])/(?:work|opt|root|home|Users)/")
    folders = [ROOT / name for name in ("src", "tests", "docs", "studies", "benchmarks", ".ci")]
    files = [file for folder in folders for file in folder.rglob("*") if file.suffix in TEXTS] + list(ROOT.glob("*.*"))
    texts = {file: file.read_text(encoding="utf-8") for file in files if file.is_file() and "_build" not in file.parts}
    assert [str(file) for file, text in texts.items() if path_of_a_machine.search(text)] == []
