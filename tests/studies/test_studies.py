"""The project's study and sweep files are read, down to each setting; a published study is offered as it is run."""

import re
from pathlib import Path

import pytest
import yaml

from counterpoint.config import StudyConfig, read_study
from counterpoint.config.sweep import read_sweep
from counterpoint.contenders.plan import models_of
from counterpoint.data.infer import PRESETS, study_file
from counterpoint.data.sources import open_source
from counterpoint.errors import ConfigError
from counterpoint.sweep import open_sweep, points

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "studies").rglob("*.y*ml"), ROOT / "src/counterpoint/demo.yaml", *PRESETS.values()])
SWEEPS = [path for path in FILES if "sweep" in yaml.safe_load(path.read_text(encoding="utf-8"))]
STUDIES = [path for path in FILES if path not in SWEEPS and "study" in yaml.safe_load(path.read_text(encoding="utf-8"))]
POINTS = [(path, point) for path in SWEEPS for point in points(read_sweep(path))]
PUBLISHED = ROOT / "studies" / "study-2023" / "published.yaml"
OWN = {"study", "source", "page"}
"""What a study on other pairs has of its own."""


def resolved(config: StudyConfig, cache: Path) -> StudyConfig:
    """Return *config* once its source and each of its contenders took all the settings that it has for them."""
    assert open_source(config.source).kind == config.source["kind"]
    assert set(models_of(config.contenders, seed=0, cache=cache)) == {entry.name for entry in config.contenders}
    return config


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_file_of_the_project_is_read_with_every_setting(path, tmp_path):
    resolved(read_study(path), tmp_path)


def test_a_setting_that_a_contender_has_not_would_be_found(tmp_path):
    config = read_study(PUBLISHED, ("contenders.paper-lstm-cnn.dropuot=0.3",))
    with pytest.raises(ConfigError, match=r"Unknown key 'paper-lstm-cnn\.dropuot'"):
        resolved(config, tmp_path)


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_a_sweep_shows_contenders_of_its_study_and_has_no_two_points_of_one_name(path):
    config = read_sweep(path)
    assert set(config.contenders) <= {entry.name for entry in read_study(config.study).contenders}
    names = [point.name for point in points(config)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("is_quick", [False, True])
@pytest.mark.parametrize(("path", "point"), POINTS, ids=lambda part: getattr(part, "name", None))
def test_the_changes_of_a_point_apply_to_its_study_and_change_it(path, point, is_quick, tmp_path):
    sweep = open_sweep(path, runs=tmp_path, is_quick=is_quick)
    own = next(
        (of for of in points(sweep.config) if (of.variant, of.choice, of.value) == (point.variant, None, None)), None
    )
    config = resolved(sweep.study(point).config, tmp_path)
    if own not in (None, point):
        assert config.model_dump(exclude=OWN) != sweep.study(own).config.model_dump(exclude=OWN)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_photos_that_may_not_be_shown_are_kept_off_the_page(path):
    config = read_study(path)
    assert "flickr8k" not in str(config.source.get("path")) or not config.page.example_images


# A published study on the user's own pairs.


def preset(folder: Path, *changes: str, source: Path | None = None) -> StudyConfig:
    path = folder / "mine.yaml"
    path.write_text(study_file(path, source, preset="study-2023"), encoding="utf-8")
    return read_study(path, changes)


def test_the_preset_is_the_study_as_published_but_for_its_pairs(tmp_path):
    assert preset(tmp_path).model_dump(exclude=OWN) == read_study(PUBLISHED).model_dump(exclude=OWN)


def test_the_preset_takes_the_pairs_that_are_there(tmp_path):
    (tmp_path / "rows.csv").write_text("file,words,class\n" + "gone-1.png,a longer text {,x\ngone-2.png,a text,y\n" * 9)
    config = preset(tmp_path, source=tmp_path / "rows.csv")
    kept = {"kind": "table", "path": str(tmp_path / "rows.csv"), "image": "file", "text": "words", "label": "class"}
    assert (config.study, config.source) == ("mine", kept)
    assert config.model_dump(exclude=OWN) == read_study(PUBLISHED).model_dump(exclude=OWN)


NAMED = re.findall(r"^ +#.*?(?:repair|or): ([\w.-]+)=(.+)$", PRESETS["study-2023"].read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("key", "value"), NAMED)
def test_each_repair_that_the_preset_names_changes_the_study(key, value, tmp_path):
    change = f"{key}={value}"
    assert resolved(preset(tmp_path, change), tmp_path) != resolved(preset(tmp_path), tmp_path)


def test_the_preset_names_every_choice_that_the_autopsy_takes_apart():
    autopsy = read_sweep(ROOT / "studies" / "study-2023" / "autopsy.yaml")
    keys = {key for choice in autopsy.choices.values() for changes in choice.values() for key in changes}
    named = [key for key, _ in NAMED]
    assert {key for key in keys if not any(one == key or one.startswith(f"{key}.") for one in named)} == set()


def test_an_unknown_preset_is_one_line_with_the_nearest_name(tmp_path):
    with pytest.raises(ConfigError, match=r"^Unknown study preset 'study-2032'\. Did you mean 'study-2023'\?$"):
        study_file(tmp_path / "mine.yaml", None, preset="study-2032")
