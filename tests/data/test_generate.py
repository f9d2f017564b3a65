import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceilings import ceilings
from counterpoint.data.drawing import APPEARANCE_VALUES, NOTHING, Painter
from counterpoint.data.generate import chunks, generate
from counterpoint.data.recipe import SIGNALS, Recipe
from counterpoint.data.words import MAX_CLASSES, WORDS
from counterpoint.errors import ConfigError
from counterpoint.features.decode import Limits
from counterpoint.features.hashes import inspect_images
from counterpoint.features.pixels import load_pixels

SIGNAL_CHANCES = st.fixed_dictionaries(dict.fromkeys(SIGNALS, st.floats(0, 1)))


def code(text: str, words: tuple[str, ...]) -> int:
    """Return the index of the word in *text*, or NOTHING."""
    return next((place for place, word in enumerate(words) if word in text), NOTHING)


def guess(codes: pl.Series, label: pl.Series) -> float:
    """Return the accuracy of the best rule from codes to labels, on these very rows."""
    counts = pl.DataFrame({"code": codes, "label": label}).group_by("code", "label").len()
    return counts.group_by("code").agg(pl.col("len").max())["len"].sum() / len(label)


@settings(max_examples=8, deadline=None)
@given(signals=SIGNAL_CHANCES, noise=st.floats(0, 0.4), classes=st.integers(2, 4))
def test_the_ceilings_are_what_the_best_reader_of_the_codes_scores(signals, noise, classes, tmp_path_factory):
    balance = tuple(range(1, classes + 1))
    recipe = Recipe(n=3000, classes=classes, **signals, label_noise=noise, side_px=16, balance=balance)
    pairs = pl.concat(chunks(recipe, tmp_path_factory.mktemp("made")))
    truth, label = pairs["true_label"], pairs["label"]
    known = ceilings(recipe)

    def accuracy(has_signal: pl.Series) -> float:
        return guess(truth.zip_with(has_signal, pl.repeat("silent", len(truth), eager=True)), label)

    assert accuracy(pairs["has_text_signal"]) == pytest.approx(known["text"], abs=0.04)
    assert accuracy(pairs["has_image_signal"]) == pytest.approx(known["image"], abs=0.04)
    has_any = pairs["has_text_signal"] | pairs["has_image_signal"] | pairs["has_joint_signal"]
    assert accuracy(has_any) == pytest.approx(known["both"], abs=0.04)


@pytest.mark.parametrize(
    ("signals", "text", "image", "both"),
    [
        ({"text_signal": 1}, 1, 0.5, 1),
        ({"image_signal": 0.5}, 0.5, 0.75, 0.75),
        ({"redundant_signal": 0.6}, 0.8, 0.8, 0.8),
        ({"joint_signal": 1}, 0.5, 0.5, 1),
        ({"text_signal": 0.5, "image_signal": 0.5}, 0.75, 0.75, 0.875),
        ({"text_signal": 0.8, "joint_signal": 0.5}, 0.9, 0.5, 0.95),
        ({"text_signal": 1, "missing_text": 0.5}, 0.75, 0.5, 0.75),
        ({"joint_signal": 1, "missing_image": 0.1, "bad_images": 0.1}, 0.5, 0.5, 0.905),
        ({"text_signal": 1, "label_noise": 0.1}, 0.9, 0.5, 0.9),
        ({"text_signal": 0, "balance": (3, 1)}, 0.75, 0.75, 0.75),
    ],
)
def test_ceilings_follow_from_the_recipe(signals, text, image, both):
    found = ceilings(Recipe(**signals))
    assert list(found.values()) == pytest.approx([text, image, both])


@pytest.mark.parametrize("language", WORDS)
def test_words_in_the_text_are_what_the_recipe_says(language, tmp_path):
    words = WORDS[language]
    pairs = generate(tmp_path, n=300, classes=3, text_signal=0.7, joint_signal=0.5, language=language, side_px=16)
    codes = pl.Series([code(text, words.class_words) for text in pairs["text"]])
    truth = pairs["true_label"].str.strip_prefix("class_").cast(pl.Int64)
    assert (codes == truth.zip_with(pairs["has_text_signal"], pl.repeat(NOTHING, 300, eager=True))).all()
    halves = pl.Series([code(text, words.joint_words) for text in pairs["text"]])
    assert ((halves != NOTHING) == pairs["has_joint_signal"]).all()


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_no_word_is_part_of_another_that_means_something_else(words):
    assert len(words.class_words) == len(words.joint_words) == MAX_CLASSES
    others = [*words.openings, *words.fillers]
    informative = [*words.class_words, *words.joint_words]
    assert len(set(informative) | set(others)) == len(informative) + len(others)
    assert not [(word, other) for word in informative for other in others if word in other]
    assert sum(a in b for a in informative for b in informative) == len(informative)
    if not words.joiner:  # read letter by letter
        assert not set("".join(informative)) & set("".join(others))


def test_neither_half_of_the_joint_signal_predicts_the_class_alone(tmp_path):
    pairs = generate(tmp_path, n=1000, joint_signal=1, side_px=16)
    halves = pl.Series([code(text, WORDS["english"].joint_words) for text in pairs["text"]])
    assert guess(halves, pairs["label"]) < 0.57
    stripes = textures(pairs)
    assert guess(stripes, pairs["label"]) < 0.57
    assert guess(halves * 2 + stripes, pairs["label"]) == 1


def textures(pairs: pl.DataFrame) -> pl.Series:
    """Return 0 where pixels change most from top to bottom, 1 where from left to right."""
    gray = load_pixels(pairs["image"].to_list(), side_px=16, mode="gray")[np.arange(len(pairs))][:, 0].astype(float)
    down, across = (np.abs(np.diff(gray, axis=axis)).mean((1, 2)) for axis in (1, 2))
    return pl.Series((down < across).astype(int))


def test_shapes_and_textures_differ_in_gray_and_look_the_same_in_a_mirror():
    every, none = np.arange(MAX_CLASSES), np.full(MAX_CLASSES, NOTHING)
    appearance = np.full((MAX_CLASSES, APPEARANCE_VALUES), 0.5)
    painter = Painter(32)
    empty = painter.draw(none, none, appearance, none * 0).astype(int)
    for pictures in (painter.draw(every, none, appearance, none * 0), painter.draw(none, every, appearance, none * 0)):
        marks = (pictures.astype(int) - empty).mean(-1)
        assert (np.abs(marks).max((1, 2)) > 15).all()
        apart = np.abs(marks[:, None] - marks[None, :]).mean((2, 3)) + 99 * np.eye(MAX_CLASSES)
        assert apart.min() > 5


@pytest.mark.parametrize("kind", ["shape", "texture"])
def test_eight_classes_can_be_predicted_from_gray_pictures_of_32_pixels(kind):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, MAX_CLASSES, 1200)
    nothing = np.full(1200, NOTHING)
    given = (codes, nothing) if kind == "shape" else (nothing, codes)
    gray = Painter(32).draw(*given, rng.random((1200, APPEARANCE_VALUES)), nothing * 0).mean(-1)
    spectra = np.log1p(np.abs(np.fft.rfft2(gray - gray.mean((1, 2), keepdims=True)))).reshape(1200, -1)
    spectra -= spectra[:900].mean(0)
    seen, targets = spectra[:900], np.eye(MAX_CLASSES)[codes[:900]]
    weights = np.linalg.solve(seen.T @ seen + 100 * np.eye(seen.shape[1]), seen.T @ targets)  # ridge regression
    assert np.mean((spectra[900:] @ weights).argmax(1) == codes[900:]) > 0.8


def test_near_duplicates_are_copies_but_for_a_word_and_a_shade(tmp_path):
    pairs = generate(tmp_path, n=300, text_signal=1, image_signal=0.5, near_duplicates=0.3, side_px=32)
    twins = pairs.filter(pl.col("twin_of").is_not_null())
    assert 60 < len(twins) < 120
    both = twins.join(pairs, left_on="twin_of", right_on="id", suffix="_first", coalesce=False)
    assert both["twin_of_first"].null_count() == len(twins)
    assert (both["label"] == both["label_first"]).all()
    assert all(text.startswith(first) and text != first for text, first in both.select("text", "text_first").rows())
    hashes = inspect_images(pairs.with_columns(row=pl.int_range(pl.len())), Limits(), workers=1)
    found = dict(hashes.select("id", "phash").rows())
    bits = [(found[a] ^ found[b]).bit_count() for a, b in twins.select("id", "twin_of").rows()]
    assert np.mean(np.array(bits) <= 4) > 0.95


def test_missing_and_bad_modalities_have_their_shares(tmp_path):
    pairs = generate(tmp_path, n=1000, missing_text=0.2, missing_image=0.1, bad_images=0.3, side_px=16)
    assert pairs["text"].null_count() == pytest.approx(200, abs=50)
    assert pairs["image"].null_count() == pytest.approx(100, abs=40)
    statuses = inspect_images(pairs, Limits(), workers=1)["image_status"]
    bad = statuses.filter(~statuses.is_in(["ok", "missing"]))
    assert len(bad) == pytest.approx(270, abs=60)
    assert bad.n_unique() >= 3


def test_the_same_seed_gives_the_same_pairs_and_another_seed_others(tmp_path):
    def made(folder: str, seed: int) -> tuple[pl.DataFrame, list[bytes]]:
        pairs = generate(tmp_path / folder, n=50, seed=seed)
        (shard,) = (tmp_path / folder).iterdir()
        return pairs.drop("image"), pl.read_parquet(shard)["image"].to_list()

    first, again, other = made("a", 1), made("b", 1), made("c", 2)
    assert first[0].equals(again[0])
    assert first[1] == again[1]
    assert not first[0].equals(other[0])
    assert first[1] != other[1]


def test_without_signals_there_is_some_and_one_given_is_the_only_one():
    assert ceilings(Recipe())["text"] > 0.7
    assert ceilings(Recipe(joint_signal=1))["text"] == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text_signal": 1.5}, "generate.text_signal: input should be less than or equal to 1"),
        ({"classes": 9}, "generate.classes: input should be less than or equal to 8"),
        ({"balance": [1, 2, 3]}, "balance needs 2 weights"),
        ({"txt_signal": 1}, r"Unknown key 'generate.txt_signal'\. Did you mean 'text_signal'"),
        ({"language": "klingon"}, "generate.language: input should be 'english', 'chinese' or 'arabic'"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(settings, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        generate(tmp_path, **settings)
