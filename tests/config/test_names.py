"""Names of contenders and of outside models become folders: none leaves its folder or meets another."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.config import StudyConfig
from counterpoint.config.names import as_folder_name
from counterpoint.errors import ConfigError

UNFIT = [
    "../../x", "a/b", "/x", "..", ".", "", " ", "a\0b", "a\\b", "C:x", "a*", "a?", "<a>", 'a"b', "a|b", "con",
    "NUL.txt", "com1", "a ", " a", "a.", "x" * 101, "é" * 51, "a\nb", "a\x1b[2Jb", "a\u202eb", "a\u200bb",
]  # fmt: skip


def study(**changes):
    return StudyConfig.read({"study": "s", "source": {"kind": "generated"}} | changes)


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("of", ["contenders", "predictions"])
def test_a_name_that_cannot_be_a_folders_is_refused_in_one_line(name, of):
    entry = {"contenders": {"kind": "majority", "name": name}, "predictions": {"path": "p.csv", "name": name}}[of]
    with pytest.raises(ConfigError, match=r"^contenders\.0\.name|^predictions\.0\.name") as error:
        study(**{of: [entry]})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["text-svm", "Überblick (v2)", "a.b", "..a", "文本", "a" * 100, "😀", "console"])
def test_any_other_name_stays_as_it_is(name):
    (entry,) = study(contenders=[{"kind": "majority", "name": name}]).contenders
    assert entry.name == name


@pytest.mark.parametrize(("one", "other"), [("SVM", "svm"), ("straße", "STRASSE"), ("caf\u00e9", "cafe\u0301")])
def test_names_that_some_disks_take_for_one_are_refused(one, other):
    entries = [{"kind": "majority", "name": one}]
    with pytest.raises(ConfigError, match=r"differ only in case|have the name"):
        study(contenders=[*entries, {"kind": "majority", "name": other}])
    with pytest.raises(ConfigError, match=r"differ only in case|have the name"):
        study(contenders=entries, predictions=[{"path": "p.csv", "name": other}])


@given(st.text(max_size=120))
def test_no_name_that_is_taken_leaves_its_folder(tmp_path_factory, name):
    try:
        taken = as_folder_name(name)
    except ValueError:
        return
    folder = Path("fits", f"{taken}.seed-0.fold-test")
    assert folder.parts == ("fits", folder.name)
    assert len(folder.name.encode()) < 255
