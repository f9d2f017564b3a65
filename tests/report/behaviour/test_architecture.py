"""The drawing of a network has the layers of its modules, its branches side by side, and every parameter once."""

import polars as pl
import pytest
from matplotlib.figure import Figure

from contender_material import make_pairs
from counterpoint.contenders import make
from counterpoint.report import write_page
from counterpoint.report.behaviour.architecture import network_chains
from counterpoint.report.drawing.boxes import draw_chains
from counterpoint.schema import COSTS, HISTORY

SMALL = {"epochs": 1, "batch": 8}
NETWORKS = {
    "paper-lstm-cnn": {"hidden": 8, "length": 6, "side_px": 16, **SMALL},
    "image-cnn": {"side_px": 8, "width": 4, **SMALL},
    "lstm-cnn": {"hidden": 8, **SMALL},
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    rows = make_pairs(tmp_path_factory.mktemp("images"), n=16, n_classes=2)
    return rows.with_columns(fold=pl.lit("test"), row=pl.int_range(pl.len()))


@pytest.fixture(scope="module")
def models(pairs):
    return {name: make(name, **settings).fit(pairs, pairs["label"]) for name, settings in NETWORKS.items()}


def drawn(model, pairs):
    return network_chains(model.layer_table(pairs[:4]).to_dicts(), colour="both")


def test_a_fusion_has_two_branches_and_what_joins_them(models, pairs):
    text, image, joined = drawn(models["paper-lstm-cnn"], pairs)
    assert [(box.title, box.shape) for box in text.boxes] == [
        ("words", "6"), ("Embedding", "6 × 32"), ("LSTM", "6 × 8"),
    ]  # fmt: skip
    assert [(box.title, box.shape) for box in image.boxes[:3]] == [
        ("pixels", "1 × 16 × 16"), ("Conv2d · Softmax", "32 × 14 × 14"), ("MaxPool2d", "32 × 7 × 7"),
    ]  # fmt: skip
    assert image.boxes[1].rule == "⌊(16 + 2·0 − 3)/1⌋ + 1 = 14"
    assert [(box.title, box.shape, box.rule) for box in joined.boxes] == [("Linear", "2", "input 136")]


def test_a_branch_and_its_own_prediction_are_drawn_apart_from_the_joined_part(models, pairs):
    text, image, joined = drawn(models["lstm-cnn"], pairs)
    assert [box.rule == "its own prediction" for box in text.boxes] == [False, False, False, True]
    assert [box.title for box in image.boxes if box.rule == "its own prediction"] == ["Linear"]
    width = {name: box.boxes[-2].shape for name, box in (("text", text), ("image", image))}
    assert joined.boxes[0].title == "2 × LayerNorm · Dropout 0.2"
    assert joined.boxes[0].rule == f"input {width['text']} and {width['image']}"


def test_layers_of_two_branches_that_nothing_joins_are_one_chain():
    row = {"kind": "Linear", "input_shape": [4], "output_shape": [2], "size": None, "parameters": 10}
    [chain] = network_chains([row | {"layer": "text.out"}, row | {"layer": "image.out"}], colour="both")
    assert [box.title for box in chain.boxes] == ["words", "Linear", "Linear"]


def test_a_network_of_one_modality_is_one_chain_and_a_residual_block_one_box(models, pairs):
    [chain] = drawn(models["image-cnn"], pairs)
    assert [box.title for box in chain.boxes][-4:-1] == ["Residual block"] * 3


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_is_in_one_box(name, models, pairs):
    in_boxes = sum(box.n_parameters for chain in drawn(models[name], pairs) for box in chain.boxes)
    assert in_boxes == models[name].n_parameters_


@pytest.mark.parametrize("is_narrow", [False, True])
def test_boxes_stay_on_the_paper(models, pairs, is_narrow):
    figure = draw_chains(drawn(models["paper-lstm-cnn"], pairs), is_narrow=is_narrow)
    assert isinstance(figure, Figure)
    [axes] = figure.axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for patch in axes.patches:
        box = patch.get_bbox()
        assert left <= box.x0 < box.x1 <= right
        assert top <= min(box.y0, box.y1) < max(box.y0, box.y1) <= bottom


def test_the_page_and_the_run_folder_have_the_drawings_and_an_example_of_each_class(models, pairs, tmp_path):
    page = write_page(tmp_path, {"study": "tiny"}, {"pairs": pairs, "costs": costs()}, models=models)
    text = page.read_text(encoding="utf-8")
    assert text.count("<summary>Layers of") == len(NETWORKS)
    for name in (*(f"layers-{network}" for network in NETWORKS), "examples", "classes"):
        assert (tmp_path / "figures" / f"{name}.svg").exists()
        assert (tmp_path / "figures" / f"{name}.png").exists()


def costs() -> pl.DataFrame:
    rows = [(name, 0, "test", 1, 1, 10, 1.0, 0.1, 0.0) for name in NETWORKS]
    return pl.DataFrame(rows, schema=dict(COSTS), orient="row")


@pytest.mark.parametrize(("epoch", "kept"), [(3, "kept weights are of epoch 3"), (1, "lowest after epoch 1.")])
def test_the_epoch_that_was_kept_is_named_and_marked(pairs, tmp_path, epoch, kept):
    model = make("paper-text-lstm", hidden=8, length=6, epochs=1, batch=8).fit(pairs, pairs["label"])
    losses = {1: 0.5, 2: 0.6, 3: 0.7}
    rows = [
        ("paper-text-lstm", 0, "test", i, "text", 0.4, loss, None, 0.8, 0.7, 1.0, i == epoch)
        for i, loss in losses.items()
    ]
    tables = {
        "pairs": pairs,
        "history": pl.DataFrame(rows, schema=dict(HISTORY), orient="row"),
        "costs": pl.DataFrame([("paper-text-lstm", 0, "test", 1, 3, 10, 1.0, 0.1, 0.0)], dict(COSTS), orient="row"),
    }
    text = write_page(tmp_path, {"study": "tiny"}, tables, models={"paper-text-lstm": model}).read_text("utf-8")
    assert "a dot the epoch whose weights were kept" in text
    assert kept in " ".join(text.split())
