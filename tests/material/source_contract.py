"""The contract of sources: each rule takes the class of a source and an empty folder, and fails where it is broken.

The rules need no list of sources and no input of their own: ``example`` of the class writes a small one.  Hold a source
of another package to them with ``@pytest.mark.parametrize("rule", SOURCE_CONTRACT)``.
"""

import inspect
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel

from counterpoint.data.sources import Source, open_source
from counterpoint.errors import ConfigError, SourceError
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.schema import FINDINGS
from source_material import read


def example_of(source: type[Source], folder: Path) -> Source:
    """Return the small instance that the class makes in a new folder."""
    (folder / "input").mkdir(parents=True)
    return source.example(folder / "input")


def settings_of(example: Source) -> dict[str, Any]:
    """Return the section ``source`` of a study file for *example*, its kind as a path of another package."""
    kind = type(example)
    return {"kind": f"{kind.__module__}:{kind.__name__}", **example.model_dump(exclude_unset=True, exclude={"kind"})}


def is_one_final_kind_of_source(source: type[Source], folder: Path) -> None:
    assert issubclass(source, Source)
    assert not inspect.isabstract(source)
    assert isinstance(source.model_fields["kind"].default, str)
    assert source.attribution is None or source.attribution


def describes_every_setting(source: type[Source], folder: Path) -> None:
    own = [each for each in source.__mro__ if issubclass(each, BaseModel) and each is not BaseModel]
    texts = "".join(map(inspect.getsource, own))
    is_described = {
        name: f"*{name}*" in texts or re.search(rf'^    {name}: .*\n    """', texts, re.MULTILINE) is not None
        for name in source.model_fields
        if name != "kind"
    }
    assert [name for name, is_there in is_described.items() if not is_there] == []


def opens_from_a_study_file(source: type[Source], folder: Path) -> None:
    example = example_of(source, folder)
    opened = open_source(settings_of(example))
    assert type(opened) is source
    assert opened.fingerprint() == example.fingerprint()


def reads_records_with_images(source: type[Source], folder: Path) -> None:
    records, dropped = read(example_of(source, folder), folder / "work")
    assert len(records) >= 1
    assert len(dropped) == 0
    assert set(inspect_images(records, Limits(), workers=1)["image_status"]) == {"ok"}


def reads_the_same_twice(source: type[Source], folder: Path) -> None:
    example = example_of(source, folder)
    first, _ = read(example, folder / "work")
    again, _ = read(open_source(settings_of(example)), folder / "again")
    assert again.drop("image").equals(first.drop("image"))


def leaves_its_input_as_it_is(source: type[Source], folder: Path) -> None:
    example = example_of(source, folder)
    before, fingerprint = contents(folder / "input"), example.fingerprint()
    read(example, folder / "work")
    assert contents(folder / "input") == before
    assert example.fingerprint() == fingerprint


def changes_its_fingerprint_with_its_input(source: type[Source], folder: Path) -> None:
    example = example_of(source, folder)
    before = example.fingerprint()
    if not contents(folder / "input"):
        return
    shutil.rmtree(folder / "input")
    (folder / "input").mkdir()
    try:
        assert example.fingerprint() != before
    except SourceError:
        return


def gives_findings_as_rows(source: type[Source], folder: Path) -> None:
    example = example_of(source, folder)
    read(example, folder / "work")
    found = example.findings()
    assert pl.DataFrame(found, schema=dict(FINDINGS)).height == len(found)


def refuses_an_unknown_setting(source: type[Source], folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"Unknown key 'source.nothing_like_this'"):
        open_source({**settings_of(example_of(source, folder)), "nothing_like_this": 1})


def names_a_path_that_is_not_there(source: type[Source], folder: Path) -> None:
    example = example_of(source, folder)
    if "path" not in source.model_fields:
        return
    opened = open_source({**settings_of(example), "path": folder / "gone" / "x"})
    with pytest.raises(SourceError, match="gone"):
        read(opened, folder / "work")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


SOURCE_CONTRACT: tuple[Callable[[type[Source], Path], None], ...] = (
    is_one_final_kind_of_source,
    describes_every_setting,
    opens_from_a_study_file,
    reads_records_with_images,
    reads_the_same_twice,
    leaves_its_input_as_it_is,
    changes_its_fingerprint_with_its_input,
    gives_findings_as_rows,
    refuses_an_unknown_setting,
    names_a_path_that_is_not_there,
)
