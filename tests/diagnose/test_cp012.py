"""Test evaluations: one for each set of settings that was seen."""

import counterpoint as cp
from counterpoint.config import StudyConfig

GIVEN = {
    "study": "looks",
    "source": {"kind": "generated", "n": 60, "text_signal": 0.8, "side_px": 16, "seed": 3},
    "contenders": ["majority", "keyword-rule"],
    "fit": {"engine": "inline"},
}


def test_going_back_to_settings_that_were_seen_is_no_further_test_evaluation(tmp_path):
    for level in (0.9, 0.95, 0.9, 0.95, 0.9):
        study = cp.Study(StudyConfig.read(GIVEN | {"evaluate": {"confidence": level}}), runs=tmp_path)
        study.scores()
    assert len(study.test_evaluations()) == 2
