"""Linear probes on encoders: scaling, missing vectors, choice on validation rows, and what they keep."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax

from contender_material import make_pairs
from counterpoint.contenders import make
from counterpoint.contenders.encoded import MISSING
from counterpoint.contenders.kept.files import keep, load
from counterpoint.contenders.probes.rows_file import RowsFile
from counterpoint.contenders.probes.term import Term
from counterpoint.errors import ConfigError, ImageWarning, RunFolderError, SchemaError, UnreadableFitError
from tiny_encoders import Colours

TEXT, IMAGE, JOINT = ("tiny_encoders:Words", "tiny_encoders:Colours", "tiny_encoders:Joint")
KINDS = {
    "text-probe": {"encoder": TEXT},
    "image-probe": {"encoder": IMAGE},
    "pair-probe": {"text_encoder": TEXT, "image_encoder": IMAGE},
}


class Given:
    """Vectors that are given."""

    def __init__(self, vectors, is_missing=None):
        self.vectors = np.asarray(vectors, dtype=np.float32)
        self.is_missing = np.zeros(len(self.vectors), bool) if is_missing is None else np.asarray(is_missing)
        self.width = self.vectors.shape[1]

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, rows):
        return self.vectors[rows]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    return make_pairs(tmp_path_factory.mktemp("images"), n=60, n_classes=3)


# The file of scaled rows.


def test_columns_have_one_spread_and_blocks_one_length():
    rng = np.random.default_rng(0)
    wide, narrow = Given(rng.normal(3, 5, (500, 40))), Given(rng.normal(-2, 0.01, (500, 4)))
    with RowsFile([wide, narrow]) as file:
        file.scale(file.scales())
        rows = file.rows()
    assert rows.shape == (500, 40 + 1 + 4 + 1)
    np.testing.assert_allclose(rows[:, :40].mean(axis=0), 0, atol=1e-4)
    for columns in (slice(0, 40), slice(41, 45)):
        assert (rows[:, columns] ** 2).sum(axis=1).mean() == pytest.approx(1, abs=1e-3)


def test_missing_vectors_are_zeros_with_a_mark_and_do_not_move_the_mean():
    with RowsFile([Given([[1.0], [3.0], [0.0]], [False, False, True])]) as file:
        (scale,) = scales = file.scales()
        file.scale(scales)
        assert scale.mean.tolist() == [2.0]
        assert file.rows().tolist() == [[-1, 0], [1, 0], [0, 1]]


def test_constant_columns_and_columns_without_rows_become_zeros():
    with RowsFile([Given([[0.1, 5.0], [0.1, 7.0]]), Given([[0.0], [0.0]], [True, True])]) as file:
        file.scale(file.scales())
        np.testing.assert_allclose(file.rows(), [[0, -(0.5**0.5), 0, 0, 1], [0, 0.5**0.5, 0, 0, 1]], rtol=1e-6)


def test_rows_of_many_chunks_are_scaled_like_few(monkeypatch):
    rng = np.random.default_rng(1)
    given = Given(rng.normal(size=(30, 3)), rng.random(30) < 0.2)
    found = []
    for at_once in (7, 4096):
        monkeypatch.setattr("counterpoint.contenders.probes.rows_file.AT_ONCE", at_once)
        with RowsFile([given]) as file:
            file.scale(file.scales())
            found.append(file.rows().copy())
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_the_file_leaves_no_name_behind_and_a_full_disk_is_one_line(tmp_path, monkeypatch):
    with RowsFile([Given([[1.0]])], str(tmp_path)) as file:
        assert file.rows().shape == (1, 2)
        assert list(tmp_path.iterdir()) == []
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - the file of rows closes it
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: full)
    with pytest.raises(RunFolderError, match="No space left to write"):
        RowsFile([Given([[1.0]])])


def test_a_term_of_scaled_vectors_is_the_same_on_unscaled_ones():
    rng = np.random.default_rng(2)
    given = Given(rng.normal(2, 3, (20, 5)), np.arange(20) % 7 == 0)
    given.vectors[given.is_missing] = 0
    weights = rng.normal(size=(3, 6))
    with RowsFile([given]) as file:
        (scale,) = scales = file.scales()
        file.scale(scales)
        expected = file.rows() @ weights.T
    np.testing.assert_allclose(Term.of_scaled(weights, scale).logits(given), expected, atol=1e-5)


# The probes.


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_reads_the_class_from_its_modality(kind, pairs):
    model = make(kind, **KINDS[kind]).fit(pairs[:40], pairs["label"][:40], validation=(pairs[40:], pairs["label"][40:]))
    there = pairs.filter(pl.all_horizontal(pl.col(model.modalities).is_not_null()), pl.col("text") != "")
    assert model.score(there, there["label"]) > 0.9


def test_the_regularisation_is_chosen_on_validation_rows(pairs):
    train, held_out = pairs[:40], pairs[40:]
    shuffled = held_out["label"].sample(fraction=1, shuffle=True, seed=1)
    wrong, right = (
        make("text-probe", encoder=TEXT).fit(train, train["label"], validation=(held_out, labels)).c_
        for labels in (shuffled, held_out["label"])
    )
    assert wrong < right


def test_a_missing_modality_has_logits_of_its_own(pairs):
    is_absent = pairs["label"] == "plant"
    rows = pairs.with_columns(text=pl.when(is_absent).then(None).otherwise("text"))
    model = make("text-probe", encoder=TEXT).fit(rows, rows["label"])
    nothing = pl.DataFrame({"text": [None]}, schema={"text": pl.String})
    assert model.predict(nothing).tolist() == ["plant"]


def test_a_pair_probe_is_a_sum_of_a_term_of_the_text_and_a_term_of_the_image(pairs):
    model = make("pair-probe", **KINDS["pair-probe"]).fit(pairs, pairs["label"])
    assert model.is_additive
    encoded, own = model.encoded(pairs), np.arange(len(pairs))
    np.testing.assert_allclose(softmax(encoded.logits(own, own), axis=1), model.predict_proba(pairs), atol=1e-9)
    without = model.predict_proba(pairs.with_columns(image=pl.lit(None, pl.String)))
    np.testing.assert_allclose(softmax(encoded.logits(own, np.full(60, MISSING)), axis=1), without, atol=1e-9)
    assert make("text-probe", encoder=TEXT).fit(pairs, pairs["label"]).encoded(pairs) is None


def test_each_image_is_encoded_once_and_unreadable_ones_are_one_warning(tmp_path, monkeypatch):
    pairs, seen = make_pairs(tmp_path, n=60, n_classes=3, seed=7), []
    encode = Colours.encode_images
    monkeypatch.setattr(Colours, "encode_images", lambda self, images: seen.append(len(images)) or encode(self, images))
    wrong = pairs.with_columns(image=pl.when(pl.int_range(pl.len()) == 9).then(pl.lit("no.png")).otherwise("image"))
    with pytest.warns(ImageWarning, match=r"^1 of 58 images cannot be read .* in row 9, is no\.png") as of_fit:
        model = make("image-probe", encoder=IMAGE).fit(wrong, wrong["label"])
    assert len(of_fit) == 1
    assert sum(seen) == 57
    with pytest.raises(SchemaError, match=r"None of the 60 images can be read"):
        model.predict(pairs.with_columns(image=pl.lit("no.png")))


def test_own_vectors_are_columns_of_the_frame_and_a_kept_probe_needs_them_only_to_predict(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"])[rng.integers(0, 2, 60)]
    values = np.where(labels == "b", 1.0, -1.0) + rng.normal(0, 0.1, 60)
    X = pl.DataFrame({"text": ["a text"] * 60, "x_0": values, "x_1": rng.normal(size=60)})
    model = make("text-probe", encoder="columns:x_").fit(X, labels)
    assert model.score(X, labels) == 1
    keep(model, tmp_path)
    assert load(tmp_path).predict_proba(X).tobytes() == model.predict_proba(X).tobytes()
    with pytest.raises(SchemaError, match="columns:x_ needs columns of numbers"):
        model.predict(X.drop("x_0", "x_1"))


def test_an_encoder_of_another_modality_is_one_line(pairs):
    with pytest.raises(ConfigError, match=r"reads no images\. It reads: text"):
        make("image-probe", encoder=TEXT).fit(pairs, pairs["label"])


# Kept probes.


def test_a_kept_probe_refuses_another_version_of_its_encoder(pairs, tmp_path, monkeypatch):
    keep(make("text-probe", encoder=TEXT).fit(pairs, pairs["label"]), tmp_path)
    load(tmp_path, trusted=[TEXT])
    monkeypatch.setattr("tiny_encoders.Words.fingerprint", "another")
    with pytest.raises(UnreadableFitError, match=r"another version of the encoder 'tiny_encoders:Words'"):
        load(tmp_path, trusted=[TEXT])


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_that_a_strangers_fit_names_is_not_imported(kind, pairs, tmp_path):
    keep(make(kind, **KINDS[kind]).fit(pairs, pairs["label"]), tmp_path)
    path = next(iter(KINDS[kind].values()))
    with pytest.raises(
        UnreadableFitError, match=r"reads vectors of tiny_encoders:\w+, an encoder from outside .* --trust"
    ):
        load(tmp_path)
    document = tmp_path / "model.json"
    document.write_text(document.read_text().replace(path, "antigravity:Fly"))
    _sealed(tmp_path)
    with pytest.raises(UnreadableFitError, match="reads vectors of antigravity:Fly"):
        load(tmp_path, trusted=[path])


def _sealed(folder):
    files = sorted(path for path in folder.glob("model.*") if path.suffix != ".sha256")
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "model.sha256").write_text("".join(lines))


def test_the_folder_of_encodings_is_the_readers_own(pairs, tmp_path):
    model = make("text-probe", encoder=TEXT, encodings=str(tmp_path / "theirs")).fit(pairs, pairs["label"])
    keep(model, tmp_path)
    assert load(tmp_path, trusted=[TEXT]).encodings is None
    assert load(tmp_path, trusted=[TEXT], encodings=tmp_path / "ours").encodings == str(tmp_path / "ours")
