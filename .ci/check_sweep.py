"""Check a finished sweep: the arguments are its file and its folder."""

import json
import math
import sys
from pathlib import Path

import polars as pl

from counterpoint.config.sweep import read_sweep
from counterpoint.sweep import points

config, root = read_sweep(Path(sys.argv[1])), Path(sys.argv[2])
table = pl.read_parquet(root / "sweep.parquet")
rows = table.to_dicts()

wanted = {(point.variant, point.choice, point.value) for point in points(config)}
for contender in config.contenders:
    found = [(row["variant"], row["choice"], row["value"]) for row in rows if row["contender"] == contender]
    assert len(found) == len(set(found)), f"{contender}: repeated points"
    assert set(found) == wanted, f"{contender}: {set(found) ^ wanted}"

for row in rows:
    assert all(math.isfinite(row[name]) for name in ("score", "low", "high", "train", "validation")), row
    assert row["low"] <= row["score"] <= row["high"], row
    if row["difference"] is not None:
        assert row["difference_low"] <= row["difference"] <= row["difference_high"], row

assert len(json.loads((root / "sweep.json").read_text(encoding="utf-8"))["points"]) == len(rows)
if (root / "report.html").exists():
    assert list((root / "figures").glob("*.svg")), "a page without figures"
