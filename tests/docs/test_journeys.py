"""The six journeys of a first-time user, page by page: what they type works, and prints what the page shows."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xlsxwriter import Workbook

from journey_material import Article, articles, save
from pages import Page
from photo_server import serving

pytestmark = pytest.mark.slow

JOURNEYS = Path(__file__).parents[2] / "docs" / "journeys"


def notebook(folder: Path) -> None:
    """A CSV of photos, captions and kinds."""
    _table(articles(90), folder, names=("photo", "caption", "kind")).write_csv(folder / "shop.csv")


def own_predictions(folder: Path) -> None:
    """The same, with an id."""
    table = _table(articles(90), folder, names=("file", "caption", "class"))
    ids = pl.format("art-{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(3))
    table.select(ids.alias("id"), pl.all()).write_csv(folder / "captions.csv")


GERMAN = {"shirts": "Hemden", "mugs": "Tassen", "lamps": "Lampen"}


def german_shop(folder: Path) -> None:
    """A CSV as a German Excel saves it, and the workbook, whose second sheet has the articles."""
    shop = articles(90)
    (folder / "Fotos").mkdir()
    for article in shop:
        article.picture.save(folder / "Fotos" / f"Größe_{article.number:03}.jpg", quality=92)
    rows = {
        "Nr.": [article.number for article in shop],
        "Bild": [f"Fotos\\Größe_{article.number:03}.JPG" for article in shop],
        "Beschreibung": [article.caption.replace("green", "grün") for article in shop],
        "Kategorie": [GERMAN[article.kind] for article in shop],
        "Preis": [4.5 + article.number / 8 for article in shop],
    }
    table = pl.DataFrame(rows)
    with Workbook(folder / "artikel.xlsx") as workbook:
        pl.DataFrame({"Stand": ["November"]}).write_excel(workbook, "Deckblatt")
        table.write_excel(workbook, "Artikel")
    text = table.write_csv(separator=";", decimal_comma=True, float_precision=2, line_terminator="\r\n")
    (folder / "artikel.csv").write_bytes(text.encode("cp1252"))


def hugging_face(folder: Path) -> None:
    """A dataset of two Parquet files with a ClassLabel, and an imagefolder, both with train and validation."""
    shop = articles(90)
    parts = {"train": shop[:69], "validation": shop[69:]}
    classes = sorted({article.kind for article in shop})
    described = {"image": {"_type": "Image"}, "caption": {"dtype": "string", "_type": "Value"}}
    described["label"] = {"names": classes, "_type": "ClassLabel"}
    schema = pa.schema(
        {
            "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
            "caption": pa.string(),
            "label": pa.int64(),
        },
        metadata={"huggingface": json.dumps({"info": {"features": described}})},
    )
    for part, rows in parts.items():
        paths = save(rows, folder / "articles-folder" / part)
        texts = {"file_name": [path.name for path in paths], "text": [article.caption for article in rows]}
        labels = [article.kind for article in rows]
        pl.DataFrame(texts | {"label": labels}).write_csv(folder / "articles-folder" / part / "metadata.csv")
        columns = {
            "image": [{"bytes": path.read_bytes(), "path": path.name} for path in paths],
            "caption": texts["text"],
            "label": [classes.index(label) for label in labels],
        }
        data = folder / "articles" / "data"
        data.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns, schema=schema), data / f"{part}-00000-of-00001.parquet")


@contextmanager
def acquire_a_list(folder: Path) -> Iterator[None]:
    """A list with LAION-400M's columns; its host is on loopback, and some photos are gone, cut or moved."""
    shop = articles(90)
    bodies = {path.name: path.read_bytes() for path in save(shop, folder / "host")}
    faults = {"004.jpg": "missing", "013.jpg": "missing", "033.jpg": "page", "046.jpg": "cut", "061.jpg": "reset"}
    with serving(bodies, faults) as address:
        rows = {
            "SAMPLE_ID": [article.number for article in shop],
            "URL": [f"http://{address}/{article.number:03}.jpg" for article in shop],
            "TEXT": [article.caption for article in shop],
            "HEIGHT": 48,
            "WIDTH": 48,
            "LICENSE": "?",
            "NSFW": ["NSFW" if article.number in (7, 8) else "UNLIKELY" for article in shop],
            "similarity": 0.31,
        }
        pl.DataFrame(rows).write_parquet(folder / "part-00000.parquet")
        yield


def model_in_use(folder: Path) -> None:
    """A folder for each class, with photos and their captions, and a folder of new ones."""
    shop = articles(180)
    for article in shop:
        place = folder / "shop" / article.kind if article.number < 150 else folder / "new"
        [photo] = save([article], place)
        photo.with_suffix(".txt").write_text(f"{article.caption}\n", encoding="utf-8")


def _table(shop: list[Article], folder: Path, *, names: tuple[str, str, str]) -> pl.DataFrame:
    photos = [f"photos/{path.name}" for path in save(shop, folder / "photos")]
    columns = (photos, [article.caption for article in shop], [article.kind for article in shop])
    return pl.DataFrame(dict(zip(names, columns, strict=True)))


MADE: dict[str, Callable[[Path], AbstractContextManager[None] | None]] = {
    "acquire-a-list": acquire_a_list,
    "german-shop": german_shop,
    "hugging-face": hugging_face,
    "model-in-use": model_in_use,
    "notebook": notebook,
    "own-predictions": own_predictions,
}
"""Each page, and what its reader has to begin with."""


def test_every_journey_has_its_beginning():
    assert {page.stem for page in JOURNEYS.glob("*.md")} == {"index", *MADE}


@pytest.mark.parametrize("journey", MADE)
def test_each_block_of_the_page_works_and_prints_what_is_shown(journey, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with MADE[journey](tmp_path) or nullcontext():
        Page(tmp_path).run(JOURNEYS / f"{journey}.md")
