"""No column is found, or lost, because polars would read its name as a regular expression or as all columns."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from counterpoint.acquire.acquisition import Acquisition
from counterpoint.config import StudyConfig
from counterpoint.config.acquire import AcquireConfig
from counterpoint.data.sources.table import TableSource
from counterpoint.features.in_memory import as_frame
from counterpoint.formats.png import rgb_png
from counterpoint.study import Study

ROLES = {"image": "^i)$", "text": "^a|b$", "label": "^.*$", "group": "*", "numbers": ("^n.*$", "^)$")}
N = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("patterns")
    for row in range(N):
        image = np.random.default_rng(row).integers(0, 60, (16, 16, 3)) + 120 * (row % 2)
        (made / f"{row}.png").write_bytes(rgb_png(image.astype(np.uint8)))
    return made


def rows(folder, **columns):
    """Two classes with the names of patterns, of which the number in "^)$" is a function."""
    made = {
        "^i)$": [f"{row}.png" for row in range(N)],
        "^a|b$": [f"the {('cat', 'dog')[row % 2]} of photo {row}" for row in range(N)],
        "^.*$": [("^b.*$", "^)$")[row % 2] for row in range(N)],
        "*": [f"group {row}" for row in range(N)],
        "^)$": [row % 2 + row / 100 for row in range(N)],
        "^n.*$": [float(row) for row in range(N)],
    }
    return pl.DataFrame(made | columns)


def read(source, work):
    return pl.concat([records for records, _ in source.read(work)])


def is_whole(found, folder):
    given = rows(folder)
    assert found["text"].to_list() == given["^a|b$"].to_list()
    assert found["label"].to_list() == given["^.*$"].to_list()
    assert found["group"].to_list() == given["*"].to_list()
    assert found["^)$"].to_list() == pytest.approx(given["^)$"].to_list())
    assert found["^n.*$"].to_list() == given["^n.*$"].to_list()
    return True


WRITE = {
    "csv": lambda frame, path: frame.write_csv(path),
    "tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    "jsonl": lambda frame, path: frame.write_ndjson(path),
    "json": lambda frame, path: path.write_text(json.dumps(frame.to_dicts()), encoding="utf-8"),
    "parquet": lambda frame, path: frame.write_parquet(path),
}


@pytest.mark.parametrize("suffix", WRITE)
def test_a_table_of_any_format_is_read_by_such_names(suffix, folder, tmp_path):
    WRITE[suffix](rows(folder), tmp_path / f"a.{suffix}")
    found = read(TableSource(path=tmp_path / f"a.{suffix}", root=folder, **ROLES), tmp_path)
    assert is_whole(found, folder)
    assert [Path(path).name for path in found["image"]] == rows(folder)["^i)$"].to_list()


@pytest.mark.parametrize("kind", [lambda frame: frame, pl.DataFrame.to_pandas, pl.DataFrame.to_arrow])
def test_a_table_in_memory_is_read_by_such_names(kind, folder, tmp_path):
    source = TableSource.of(kind(rows(folder)), root=folder, **ROLES)
    assert is_whole(read(source, tmp_path), folder)
    assert source.fingerprint() == TableSource.of(kind(rows(folder)), root=folder, **ROLES).fingerprint()


@pytest.mark.parametrize("has_paths", [False, True])
def test_images_in_such_a_column_are_read(has_paths, folder, tmp_path):
    content = [(folder / name).read_bytes() for name in rows(folder)["^i)$"]]
    images = [{"bytes": content[row], "path": None} if row % 2 else {"bytes": None, "path": f"{row}.png"}
              for row in range(N)] if has_paths else content  # fmt: skip
    rows(folder, **{"^i)$": images}).write_parquet(tmp_path / "a.parquet")
    found = read(TableSource(path=tmp_path / "a.parquet", root=folder, **ROLES), tmp_path)
    assert is_whole(found, folder)
    assert found["image"].n_unique() == N


def test_whole_numbers_in_such_columns_are_names_without_decimals(folder, tmp_path):
    numbers = {"^.*$": [float(row % 2) for row in range(N)], "*": [float(row) for row in range(N)]}
    rows(folder, **numbers).write_csv(tmp_path / "a.csv")
    found = read(TableSource(path=tmp_path / "a.csv", root=folder, **ROLES), tmp_path)
    assert found["label"].to_list() == ["0", "1"] * (N // 2)
    assert found["group"].to_list() == [str(row) for row in range(N)]


def test_a_join_by_such_names_adds_such_columns(folder, tmp_path):
    whole = rows(folder)
    whole[[name for name in whole.columns if name != "^.*$"]].write_csv(tmp_path / "a.csv")
    pl.DataFrame({"^k|)$": whole["^i)$"], "^.*$": whole["^.*$"]}).write_csv(tmp_path / "b.csv")
    join = {"path": tmp_path / "b.csv", "key": "^k|)$", "matches": "^i)$"}
    assert is_whole(read(TableSource(path=tmp_path / "a.csv", root=folder, join=join, **ROLES), tmp_path), folder)


def test_labels_from_folders_may_be_such_a_column(folder, tmp_path):
    whole = rows(folder, **{"^i)$": [f"{('x', 'y')[row % 2]}/{row}.png" for row in range(N)]})
    for row, path in enumerate(whole["^i)$"]):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes((folder / f"{row}.png").read_bytes())
    whole[[name for name in whole.columns if name != "^.*$"]].write_csv(tmp_path / "a.csv")
    found = read(TableSource(path=tmp_path / "a.csv", root=tmp_path, label_from="folder", **ROLES), tmp_path)
    assert found["label"].to_list() == ["x", "y"] * (N // 2)


@pytest.mark.parametrize("is_polars", [True, False])
def test_a_frame_keeps_its_columns_where_an_image_is_an_object(is_polars, folder):
    objects = [folder / name for name in rows(folder)["^i)$"]]
    frame = (
        rows(folder).with_columns(**{"^i)$": pl.Series(objects, dtype=pl.Object)})
        if is_polars
        else rows(folder).to_pandas().assign(**{"^i)$": objects})
    )
    assert as_frame(frame, image="^i)$").columns == rows(folder).columns


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_list_of_addresses_is_planned_by_such_names(suffix, tmp_path):
    columns = {"url": "^u)$", "text": "^.*$", "id": "*", "label": "^l|x$"}
    values = [f"http://example.org/{row}.jpg" for row in range(N)], ["a cat"] * N, range(N), ["a"] * N
    WRITE[suffix](pl.DataFrame(dict(zip(columns.values(), values, strict=True))), tmp_path / f"list.{suffix}")
    plan = Acquisition(AcquireConfig.read({
        "acquisition": "patterns", "input": {"path": str(tmp_path / f"list.{suffix}"), "columns": columns},
        "output": str(tmp_path / "out"),
    })).plan()  # fmt: skip
    assert (plan.n_read, plan.n_rows, dict(plan.labels)) == (N, N, {"a": N})


@pytest.mark.slow
def test_a_study_runs_to_its_page_on_such_columns_and_classes(folder, tmp_path):
    rows(folder).write_csv(tmp_path / "a.csv")
    source = {"kind": "table", "path": tmp_path / "a.csv", "root": folder, **ROLES}
    names = {"name": "facts", "kind": "metadata", "settings": {"columns": ["^)$"]}}
    study = Study(
        StudyConfig(study="patterns", source=source, contenders=["majority", names, "text-svm"],
                    split={"kind": "kfold", "folds": 3}, fit={"engine": "inline"}, checks={"encoders": False}),
        runs=tmp_path,
    )  # fmt: skip
    assert study.report().exists()
    assert {"^)$", "^n.*$"} <= set(study.pairs().columns)
    assert study.results()["classes"] == ["^)$", "^b.*$"]
    assert study.scores().filter(contender="text-svm", metric="accuracy", part="oof")["value"].item() == 1.0
