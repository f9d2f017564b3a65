import polars as pl
import pytest

from counterpoint.config import OutsidePredictions
from counterpoint.data.sources.predictions import read_predictions
from counterpoint.errors import SourceError
from counterpoint.schema import PREDICTIONS, check

IDS = ["a", "b", "c", "d", "e", "f"]
HOLDOUT = pl.DataFrame(
    {
        "id": IDS,
        "label": ["x", "y"] * 3,
        "group": IDS,
        "fold": ["train", "train", "validation", "validation", "test", "test"],
    }
)
KFOLD = HOLDOUT.with_columns(pl.Series("fold", ["0", "0", "1", "1", "2", "2"]))


def given(ids=IDS, **columns):
    return pl.DataFrame({"id": ids, "p_x": [0.75] * len(ids), "p_y": [0.25] * len(ids)} | columns)


def read(frame, pairs, tmp_path, suffix=".csv"):
    path = tmp_path / f"mine{suffix}"
    (frame.write_csv if suffix == ".csv" else frame.write_parquet)(path)
    found = read_predictions(OutsidePredictions(path=path, name="mine"), pairs)
    check(found, PREDICTIONS, table="Predictions")
    assert found.columns == [*PREDICTIONS, "p_x", "p_y"]
    assert set(found["contender"]) == {"mine"}
    return found


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_holdout_takes_the_part_from_the_pairs(suffix, tmp_path):
    found = read(given(), HOLDOUT, tmp_path, suffix)
    assert found.select("id", "fold", "part", "label").rows() == [
        (row["id"], "test", row["fold"], row["label"]) for row in HOLDOUT.iter_rows(named=True)
    ]
    assert found["seed"].to_list() == [0] * 6


def test_test_rows_alone_are_enough_and_rows_that_left_are_ignored(tmp_path):
    found = read(given([*"ef", "gone"]), HOLDOUT, tmp_path)
    assert found.select("id", "part").rows() == [("e", "test"), ("f", "test")]


def test_a_kfold_row_is_tested_by_its_own_fold(tmp_path):
    found = read(given(IDS[::-1]), KFOLD, tmp_path)
    assert found.select("id", "fold", "part").rows() == [(row["id"], row["fold"], "test") for row in KFOLD.to_dicts()]


def test_the_fold_of_a_fit_gives_the_part_of_a_row(tmp_path):
    fits = pl.concat([given(fold=[fold] * 6) for fold in "012"])
    found = read(fits, KFOLD, tmp_path)
    parts = found.filter(pl.col("fold") == "2").select("id", "part").rows()
    assert parts == [(*pair,) for pair in zip("abcdef", ["validation"] * 2 + ["train"] * 2 + ["test"] * 2, strict=True)]
    assert found.filter(part="test").height == found.filter(part="validation").height == 6


def test_seeds_are_kept_apart(tmp_path):
    found = read(pl.concat([given(seed=[3] * 6), given(seed=[4] * 6)]), HOLDOUT, tmp_path)
    assert found["seed"].value_counts().sort("seed").rows() == [(3, 6), (4, 6)]


def test_probabilities_are_scaled_to_one(tmp_path):
    found = read(given(p_x=[0.7505] * 6), HOLDOUT, tmp_path)
    assert (found["p_x"] + found["p_y"]).to_list() == pytest.approx([1.0] * 6, abs=1e-12)


@pytest.mark.parametrize(
    ("frame", "pairs", "message"),
    [
        (given(IDS[:5]), HOLDOUT, r"lacks 1 of 2 test rows \(seed 0\): f"),
        (given(IDS[3:]), HOLDOUT, r"lacks 1 of 2 validation rows \(seed 0\): c"),
        (given(IDS[:4]), KFOLD, r"lacks 2 of 6 test rows \(seed 0\): e, f"),
        (given(["g"]), KFOLD, r"lacks 6 of 6 test rows"),
        (given(fold=["0"] * 6), KFOLD, r"lacks 4 of 6 test rows"),
        (given(fold=["7"] * 6), KFOLD, r"has fold '7'. The pairs have 0, 1, 2"),
        (given([*IDS, "a"]), HOLDOUT, r"has id 'a' more than once"),
        (given(seed=["one"] * 6), HOLDOUT, r"'seed' should hold whole numbers"),
        (given().drop("p_y"), HOLDOUT, r"should have columns p_x, p_y, one a class. Found p_x"),
        (given(p_z=[0.0] * 6), HOLDOUT, r"Found p_x, p_y, p_z"),
        (given().rename({"id": "key"}), HOLDOUT, r"no column 'id'. Found key"),
        (given(p_x=[0.8] * 6), HOLDOUT, r"6 rows are not probabilities.*The first is \('a', 0.8, 0.25\)"),
        (given(p_x=[-0.25] * 6, p_y=[1.25] * 6), HOLDOUT, r"6 rows are not probabilities"),
        (given(p_x=["much"] * 6), HOLDOUT, r"6 rows are not probabilities"),
    ],
)
def test_what_cannot_be_compared_is_refused(frame, pairs, message, tmp_path):
    with pytest.raises(SourceError, match=message):
        read(frame, pairs, tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "mine.csv").touch()
    with pytest.raises(SourceError, match=r"No table of predictions .*min\.csv\. Did you mean 'mine.csv'"):
        read_predictions(OutsidePredictions(path=tmp_path / "min.csv", name="mine"), KFOLD)


def test_a_fold_or_seed_that_was_written_as_a_float_is_the_same_one(tmp_path):
    fits = pl.concat([given(fold=[float(fold)] * 6, seed=[0.0] * 6) for fold in range(3)])
    assert read(fits, KFOLD, tmp_path).filter(part="test").height == 6


def test_a_table_of_predictions_may_have_any_separator(tmp_path):
    given().write_csv(tmp_path / "mine.csv", separator=";")
    outside = OutsidePredictions(path=tmp_path / "mine.csv", name="mine", separator=";")
    assert read_predictions(outside, HOLDOUT).height == 6


def test_a_row_of_predictions_that_cannot_be_read_is_refused_by_its_line(tmp_path):
    (tmp_path / "mine.csv").write_text("id,p_x,p_y\na,1,0\nb,1\n")
    with pytest.raises(SourceError, match=r"mine.csv: line 3 cannot be read \(bad_row\)"):
        read_predictions(OutsidePredictions(path=tmp_path / "mine.csv", name="mine"), HOLDOUT)
