"""Fits are kept without pickle: what a stranger writes into a run folder runs no code, and costs one line."""

import ast
import json
import os
import pickle
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors import numpy as safetensors
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

from contender_material import make_pairs
from counterpoint.contenders import make
from counterpoint.contenders.kept.files import keep, keep_none, load
from counterpoint.contenders.kept.parts import dumped, loaded
from counterpoint.errors import UnreadableFitError
from outside_contenders import Piped, Stateful, Undeclared

SRC = Path(__file__).parents[3] / "src" / "counterpoint"
LSTM = {"embed": 4, "hidden": 4, "epochs": 1}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    return make_pairs(tmp_path_factory.mktemp("images"), n=24, n_classes=2)


@pytest.fixture(scope="module")
def fitted(pairs) -> dict[str, Any]:
    rows = pairs.with_columns(host=pl.Series(["a.example", "b.example"] * 12))
    kinds = {"metadata": {"rounds": 2}, "text-svm": {}, "text-lstm": LSTM, "keyword-rule": {"min_count": 1}}
    return {kind: make(kind, **settings).fit(rows, rows["label"]) for kind, settings in kinds.items()}


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "text-svm.seed-0.fold-test"
    path.mkdir()
    return path


def sealed(folder: Path) -> None:
    """Write the digests of the files as they are now, as somebody would who means harm."""
    files = sorted(path for path in folder.glob("model.*") if path.suffix in (".json", ".safetensors", ".skops"))
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "model.sha256").write_text("".join(lines))


def changed(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "model.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    sealed(folder)


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


# Nothing that reads a run folder runs code.


def readers_of_pickle(path: Path) -> Iterator[str]:
    """Yield what in a module could run what a file holds."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = {name.partition(".")[0] for name in (module or "", *(alias.name for alias in node.names))}
            yield from names & {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}
        if isinstance(node, ast.Call):
            called, given = ast.unparse(node.func), {each.arg: ast.unparse(each.value) for each in node.keywords}
            if called.endswith("read_pickle") or given.get("allow_pickle", "False") != "False":
                yield called
            if called == "torch.load" and given.get("weights_only") != "True":
                yield called


def test_no_module_reads_a_pickle():
    found = {path.relative_to(SRC).as_posix(): list(readers_of_pickle(path)) for path in SRC.rglob("*.py")}
    # Engines send tasks in memory, from a process of ours to a worker of ours: no run folder is read so.
    assert {path for path, what in found.items() if what} <= {"engines/ray.py", "engines/spawn.py"}


@pytest.mark.parametrize(
    "name", ["model.joblib", "model.pkl", "model.json", "model.safetensors", "model.skops", "model.sha256"]
)
def test_a_pickle_in_a_run_folder_is_never_run(name, folder, fitted, tmp_path):
    keep(fitted["metadata"], folder)
    made = tmp_path / "made"
    (folder / name).write_bytes(pickle.dumps(Payload(made)))
    if name in ("model.json", "model.safetensors", "model.skops"):
        sealed(folder)
    if name in ("model.joblib", "model.pkl"):
        assert load(folder).classes_.tolist() == ["animal", "machine"]
    else:
        with pytest.raises(UnreadableFitError, match=rf"{name} cannot be read.* run the study again"):
            load(folder)
    assert not made.exists()
    pickle.loads(pickle.dumps(Payload(made)))
    assert made.exists(), "the payload of this test does nothing"


def schema_of(data: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    old, new = zipfile.ZipFile(BytesIO(data)), BytesIO()
    with zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                change(schema)
                content = json.dumps(schema).encode()
            archive.writestr(name, content)
    return new.getvalue()


SVM = ("sklearn.svm._classes.LinearSVC",)
SYSTEM = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda schema: schema["content"].update(x=SYSTEM), "os.system"),
        (lambda schema: schema["content"]["svm"].update(__module__="my_lab"), "my_lab.LinearSVC"),
        (lambda schema: schema["content"]["svm"].update(__loader__="MethodNode"), "MethodNode"),
        (lambda schema: schema["content"]["svm"].update(__module__="numpy", __class__="load"), "numpy.load"),
        (lambda schema: schema["content"]["svm"].update(__class__="Ridge"), "Ridge"),
        (lambda schema: schema.update(protocol=0), "another protocol"),
    ],
)
def test_a_part_of_another_type_is_refused_by_name(change, named):
    svm = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    data = schema_of(dumped({"svm": svm}, SVM), change)
    with pytest.raises(ValueError, match=re.escape(named)):
        loaded(data, SVM)


def test_the_allowed_types_are_in_the_error():
    with pytest.raises(ValueError, match=r"holds sklearn.naive_bayes.MultinomialNB; allowed: sklearn.svm"):
        dumped({"bayes": MultinomialNB()}, SVM)


def test_a_bomb_is_refused_before_it_is_unpacked():
    new = BytesIO()
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("schema.json", "w") as member:
        for _ in range(300):
            member.write(bytes(1 << 20))
    with pytest.raises(ValueError, match="unpacks to more than"):
        loaded(new.getvalue(), SVM)


# Damage and tampering: one line.


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "model.skops", "model.sha256"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone", "folder"])
def test_a_damaged_file_is_named_in_one_line(name, damage, folder, fitted):
    keep(fitted["metadata"], folder)
    path = folder / name
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "gone":
        data[len(data) // 2] ^= 4
        path.write_bytes({"cut": data[: len(data) // 3], "flipped": data, "empty": b""}[damage])
    with pytest.raises(UnreadableFitError) as error:
        load(folder)
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value)


def test_a_pipe_is_not_waited_for(folder, fitted):
    keep(fitted["text-svm"], folder)
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    with pytest.raises(UnreadableFitError, match="not a regular file"):
        load(folder)


def longer(document: dict[str, Any]) -> None:
    values = document["values"]
    values.update({name: 3 * value for name, value in values.items() if isinstance(value, list)}, words=["x"] * 99)


@pytest.mark.parametrize("kind", ["text-svm", "text-lstm", "metadata", "keyword-rule"])
@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.clear(),
        lambda document: document.pop("settings"),
        lambda document: document["values"].clear(),
        lambda document: document["arrays"].clear(),
        lambda document: document.update(values=[1, 2]),
        lambda document: document["values"].update(history_="none"),
        lambda document: document["values"].update({name: {"a": [None]} for name in document["values"]}),
        lambda document: document["values"].update({name: [0] for name in document["values"]}),
        lambda document: document["settings"].update(unknown=1),
        lambda document: document["arrays"].update(classes_=["one", "two", "three"]),
        lambda document: document["arrays"].update({name: {"at": "nowhere"} for name in document["arrays"]}),
        lambda document: document.update(fits={"a": {"class": "os:system"}}),
    ],
)
def test_a_description_that_fits_nothing_is_one_line(kind, change, folder, fitted):
    keep(fitted[kind], folder)
    changed(folder, change)
    with pytest.raises(UnreadableFitError) as error:
        load(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["text-svm", "text-lstm", "keyword-rule"])
def test_lists_that_do_not_match_their_arrays_are_refused(kind, folder, fitted):
    keep(fitted[kind], folder)
    changed(folder, longer)
    with pytest.raises(UnreadableFitError, match="cannot be read"):
        load(folder)


def test_repeated_n_grams_are_refused_before_they_are_counted(folder, fitted):
    keep(fitted["text-svm"], folder)
    changed(folder, lambda document: document["values"].update(words=2 * document["values"]["words"]))
    with pytest.raises(UnreadableFitError, match="n-grams are there twice"):
        load(folder)


def test_a_network_takes_no_memory_that_its_file_does_not_have(folder, fitted):
    keep(fitted["text-lstm"], folder)
    changed(folder, lambda document: document["settings"].update(hidden=4096))
    with pytest.raises(UnreadableFitError, match=r"should be .*16384"):
        load(folder)


def test_a_header_that_claims_more_than_there_is_is_refused(folder, fitted):
    keep(fitted["text-lstm"], folder)
    header = json.dumps({"a": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8 * 10**12]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    sealed(folder)
    with pytest.raises(UnreadableFitError, match="SafetensorError"):
        load(folder)


def test_a_file_without_end_is_not_read(folder, fitted):
    keep(fitted["text-svm"], folder)
    with (folder / "model.json").open("r+b") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(UnreadableFitError, match=r"at most .* are read"):
        load(folder)


def bad_nodes(field: str) -> Callable[[Any, Any], None]:
    def change(tree: Any, _: Any) -> None:
        tree.nodes["is_leaf"][0], tree.nodes[field][0] = 0, 10**6

    return change


def looped(tree: Any, _: Any) -> None:
    tree.nodes["is_leaf"][0], tree.nodes["left"][0] = 0, 0


def without_bitsets(tree: Any, _: Any) -> None:
    tree.raw_left_cat_bitsets = np.zeros((9, 1), dtype=np.uint32)


def without_columns(_: Any, trees: Any) -> None:
    trees._bin_mapper.is_categorical_ = trees._bin_mapper.is_categorical_[:1]


BAD_TREES = [*map(bad_nodes, ("left", "right", "feature_idx")), looped, without_bitsets, without_columns]


@pytest.mark.parametrize("change", BAD_TREES)
def test_a_tree_that_points_outside_is_refused(change, folder, pairs):
    rows = pairs.with_columns(host=pl.Series(["a.example", "b.example"] * 12))
    model = make("metadata", rounds=2).fit(rows, rows["label"])
    change(model.trees_._predictors[0][0], model.trees_)
    keep(model, folder)
    with pytest.raises(UnreadableFitError, match="points nowhere"):
        load(folder)


def test_a_network_without_its_scaling_is_refused(folder, fitted):
    keep(fitted["text-lstm"], folder)
    arrays = safetensors.load_file(folder / "model.safetensors")
    rest = {name: array for name, array in arrays.items() if not name.startswith("scaling.")}
    assert len(rest) < len(arrays)
    safetensors.save_file(rest, folder / "model.safetensors")
    sealed(folder)
    with pytest.raises(UnreadableFitError, match=r"cannot be read.* run the study again"):
        load(folder)


def test_a_name_of_another_file_is_not_read(folder, fitted):
    keep(fitted["text-svm"], folder)
    (folder.parent / "secret").write_bytes(b"{}")
    with (folder / "model.sha256").open("a") as file:
        file.write(f"{sha256(b'{}').hexdigest()}  ../secret\n")
    with pytest.raises(UnreadableFitError, match="files that do not belong to a fit"):
        load(folder)


def test_a_fit_that_was_not_kept_gives_the_reason(folder):
    keep_none(folder, "its state is of no form that can be kept.")
    with pytest.raises(UnreadableFitError, match="keeps no fitted contender: its state is of no form"):
        load(folder)
    with pytest.raises(UnreadableFitError, match="No fitted contender is kept"):
        load(folder / "none")


# Contenders from outside the package.


@pytest.mark.parametrize("kind", [Piped, Stateful])
def test_a_class_from_outside_is_read_when_it_is_named_and_else_not_imported(kind, folder, pairs, monkeypatch):
    model = kind().fit(pairs, pairs["label"])
    keep(model, folder)
    path = f"outside_contenders:{kind.__name__}"
    assert load(folder, trusted=[path]).predict_proba(pairs).tobytes() == model.predict_proba(pairs).tobytes()
    monkeypatch.delitem(sys.modules, "outside_contenders")
    with pytest.raises(UnreadableFitError, match=rf"fitted by {path}, .* name it with --trust"):
        load(folder)
    assert "outside_contenders" not in sys.modules


def test_a_fit_in_a_fit_is_not_imported_either(folder, fitted):
    keep(fitted["text-svm"], folder)
    changed(folder, lambda document: document.update(fits={"text": {**document, "class": "antigravity:Fly"}}))
    sys.modules.pop("antigravity", None)
    with pytest.raises(UnreadableFitError, match="antigravity:Fly"):
        load(folder)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("what", ["class", "not_kept"])
def test_a_strangers_words_do_not_reach_a_terminal_raw(what, folder, fitted):
    keep(fitted["text-svm"], folder)
    changed(folder, lambda document: document.update({what: "\x1b[2J\n\u202e" + "x" * 10_000}))
    with pytest.raises(UnreadableFitError) as error:
        load(folder)
    assert "\x1b" not in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000


def test_fits_in_fits_without_end_are_one_line(folder, fitted):
    keep(fitted["text-svm"], folder)
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"fits": {}', '"fits": ' + 100_000 * '{"a":' + "0" + 100_000 * "}", 1))
    sealed(folder)
    with pytest.raises(UnreadableFitError, match="RecursionError"):
        load(folder)


def test_parts_of_types_that_are_not_listed_are_not_kept(folder, pairs):
    with pytest.raises(UnreadableFitError, match=r"Undeclared cannot be kept: it holds .*Pipeline"):
        keep(Undeclared().fit(pairs, pairs["label"]), folder)


def test_an_array_of_objects_is_not_kept(folder, pairs):
    model = Stateful().fit(pairs, pairs["label"])
    model.shares_ = np.array([{"a": 1}], dtype=object)
    with pytest.raises(UnreadableFitError, match="Stateful cannot be kept"):
        keep(model, folder)


# What is kept.


def test_an_array_keeps_its_type_and_its_order_in_memory(folder):
    arrays = {
        "rows_": np.arange(6.0).reshape(2, 3),
        "columns_": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "none_": np.empty((0, 3)),
        "number_": np.array(3),
        "texts_": np.array(["é", "𝛼 b"]),
        "no_texts_": np.array([], dtype="<U1"),
        "slices_": np.arange(12)[::2],
    }
    model = make("majority").fit(pl.DataFrame({"a": [1, 2]}), [True, False])
    for name, array in arrays.items():
        setattr(model, name, array)
    keep(model, folder)
    again = load(folder)
    assert again.classes_.dtype == np.bool_
    for name, array in arrays.items():
        found = getattr(again, name)
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        assert found.tolist() == array.tolist()
    assert again.columns_.flags.f_contiguous
    assert not again.columns_.flags.c_contiguous


def test_arrays_that_are_shared_are_stored_once(folder, pairs):
    joint = make("lstm-cnn", text=LSTM, image={"side_px": 8, "width": 4, "epochs": 1}, hidden=4, epochs=1)
    keep(joint.fit(pairs, pairs["label"]), folder)
    stored = safetensors.load((folder / "model.safetensors").read_bytes())
    assert sum(array.size for array in stored.values()) < 1.2 * joint.n_parameters_
    again = load(folder)
    assert again.network_.text is again.branches_["text-lstm"].network_


def test_the_folder_of_pixels_is_the_readers_own(folder, pairs, tmp_path):
    model = make("image-cnn", side_px=8, width=2, epochs=1, cache=str(tmp_path / "theirs"))
    keep(model.fit(pairs, pairs["label"]), folder)
    assert load(folder).cache is None
    assert load(folder, cache=tmp_path / "ours").cache == str(tmp_path / "ours")


def test_a_fit_that_replaces_another_leaves_nothing_of_it(folder, fitted):
    keep(fitted["metadata"], folder)
    keep(fitted["text-svm"], folder)
    assert {path.name for path in folder.iterdir()} == {"model.json", "model.safetensors", "model.sha256"}


@pytest.mark.parametrize("classes", [["animal", "animal"], ["animal"]])
def test_classes_that_are_not_one_a_column_are_refused(classes, folder, fitted):
    keep(fitted["text-svm"], folder)
    changed(folder, lambda document: document["arrays"].update(classes_=classes))
    with pytest.raises(UnreadableFitError, match="cannot be read"):
        load(folder)
