"""Check a finished run folder, which is the only argument."""

import json
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
results = json.loads((root / "results.json").read_text(encoding="utf-8"))
page = (root / "report.html").read_text(encoding="utf-8")

rows = results["rows"]
assert rows["in"] == rows["pairs"] + sum(rows["dropped"].values()), rows

test = {
    row["contender"]: row
    for row in results["scores"]
    if row["part"] in ("test", "oof") and row["metric"] == "balanced_accuracy"
}
assert set(test) == set(results["modalities"]), test.keys()
assert all(row["low"] <= row["value"] <= row["high"] for row in test.values()), test
assert test["majority"]["value"] == 0.5, test["majority"]
assert test["text-svm"]["low"] > 0.5, test["text-svm"]

(primary,) = (row for row in results["differences"] if row["is_primary"])
assert {"a": primary["a"], "b": primary["b"]}.items() <= results["primary"].items(), primary
assert primary["low"] <= primary["difference"] <= primary["high"], primary
assert abs(primary["difference"] - (test[primary["a"]]["value"] - test[primary["b"]]["value"])) < 1e-9, primary
assert all(row["p_holm"] is None or row["p_holm"] >= row["p"] for row in results["differences"])

assert results["answer"]["headline"].endswith("."), results["answer"]
assert len(results["answer"]["reasons"]) >= 1, results["answer"]
assert len(results["test_evaluations"]) == 1, results["test_evaluations"]
assert "OpenMoji" in page
assert "CC BY-SA 4.0" in page
assert not re.search(r"""(?:src|href)=["'](?:https?:)?//[^"']+\.(?:js|css|png|svg|woff2?)""", page)
assert list((root / "figures").glob("*.svg")), "no figures"
