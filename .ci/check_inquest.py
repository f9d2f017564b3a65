"""Check a short inquest: the arguments are its file and the folder of run folders."""

import json
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv[1]).parent.resolve()))

from candidates.config import read_inquest
from inquest import RESULTS

config = read_inquest(Path(sys.argv[1])).shortened()
made = json.loads((Path(sys.argv[2]) / config.inquest / RESULTS).read_text(encoding="utf-8"))
assert made["n_finished"] == made["n_trainings"], made["n_finished"]

wanted = {
    (data, title, seed, draw)
    for data in config.data
    for title in config.candidates_on(data)
    for seed in config.seeds
    for draw in range(config.draws)
}
found = [(run["data"], run["candidate"], run["seed"], run["draw"]) for run in made["runs"]]
assert len(found) == len(set(found)), "repeated runs"
assert set(found) == wanted, set(found) ^ wanted

for run in made["runs"]:
    for quantity in ("train_accuracy", "train_loss", "accuracy", "loss"):
        assert len(run[quantity]) == config.epochs, run
        assert all(map(math.isfinite, run[quantity])), run
