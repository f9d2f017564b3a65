"""Names of columns for each role: images, texts, labels, splits, groups, ids, and names of other facts."""

import re
from collections.abc import Collection, Sequence
from unicodedata import combining, normalize

IMAGES = (
    "image", "img", "picture", "photo", "pic", "bild", "foto", "immagine", "imagen", "image_path", "img_path",
    "image_file", "image_filename", "image_name", "bilddatei", "bildpfad", "file_name", "filename", "filepath",
    "file_path", "file", "path", "datei", "dateiname", "fichier", "archivo", "bestand",
)  # fmt: skip
"""Names of an image column, the likeliest first."""

TEXTS = (
    "caption", "captions", "text", "alt", "alt_text", "alttext", "title", "description", "desc", "image_desc",
    "bildunterschrift", "beschreibung", "bildbeschreibung", "titel", "legende", "description_fr", "titre",
    "didascalia", "descrizione", "titolo", "leyenda", "descripcion", "pie_de_foto", "titulo", "legenda", "descricao",
    "onderschrift", "beschrijving", "opis", "sentence", "prompt", "headline", "tweet", "review", "comment", "overview",
    "body", "txt", "texte", "texto", "tekst",
)  # fmt: skip
"""Names of a column of texts, the likeliest first."""

LABELS = (
    "label", "labels", "class", "category", "target", "y", "label_name", "class_name", "class_label", "categories",
    "klasse", "kategorie", "etikett", "categorie", "etiquette", "clase", "categoria", "etiqueta", "etichetta",
    "sentiment", "genre", "species", "topic",
)  # fmt: skip
"""Names of a column of classes, the likeliest first."""

SPLITS = ("split", "fold", "set", "partition", "subset", "part", "data_split", "dataset_split")
GROUPS = (
    "group",
    "group_id",
    "groupid",
    "product_id",
    "user",
    "user_id",
    "author",
    "patient",
    "patient_id",
    "listing_id",
)
IDS = ("id", "sample_id", "pair_id", "row_id", "uid", "uuid", "guid")

_NEITHER = (
    "id", "ids", "idx", "index", "row", "no", "nr", "number", "n", "nummer", "key", "uid", "uuid", "guid", "sku",
    "asin", "ean", "url", "uri", "link", "href", "host", "domain", "license", "licence", "lizenz", "licencia",
    "copyright", "credit", "source", "quelle", "origin", "provider", "width", "height", "breite", "hoehe", "size",
    "aspect", "ratio",
    "format", "mode", "mime", "extension", "lang", "language", "sprache", "langue", "idioma", "locale", "date",
    "datum",
    "time", "timestamp", "year", "created", "updated", "md5", "sha1", "sha256", "hash", "phash", "exif", "status",
    "error", "nsfw", "punsafe", "pwatermark", "similarity", "score", "confidence", "probability", "lat", "lon",
    "latitude",
    "longitude", "price", "preis", "author", "user", "username", "photographer", "fotograf", "email",
)  # fmt: skip
"""Words in the name of a column that is neither a text nor a label."""


def plain_name(name: str) -> str:
    """Return a column's name in small letters without accents, its words joined by ``_``.

    >>> plain_name("Alt-Text"), plain_name("Légende"), plain_name("imagePath"), plain_name(" Größe ")
    ('alt_text', 'legende', 'image_path', 'grosse')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    letters = "".join(each for each in normalize("NFKD", words.casefold()) if not combining(each))
    return re.sub(r"[\W_]+", "_", letters).strip("_")


def name_rank(name: str, known: Sequence[str]) -> int:
    """Return the index of *name* in *known*, or a larger number when only a word of it or nothing is known.

    A name in *known* ranks below ``len(known)``, a name with a known word below ``2 * len(known)``.

    >>> [name_rank(name, TEXTS) for name in ("Caption", "caption_en", "shelf")] == [0, len(TEXTS), 2 * len(TEXTS)]
    True
    """
    own = plain_name(name)
    if own in known:
        return known.index(own)
    words = own.split("_")
    return min((len(known) + place for place, word in enumerate(known) if word in words), default=2 * len(known))


def is_named(name: str, known: Collection[str]) -> bool:
    """Return whether *name* is in *known*, apart from case, accents and dashes.

    >>> is_named("Alt-Text", TEXTS), is_named("license_url", LABELS)
    (True, False)
    """
    return plain_name(name) in known


def is_neither(name: str) -> bool:
    """Return whether *name* is the name of a fact about a row, neither its text nor its class.

    >>> [is_neither(name) for name in ("License", "image_width", "split", "caption", "shelf")]
    [True, True, True, False, False]
    """
    words = plain_name(name).split("_")
    return is_named(name, (*SPLITS, *GROUPS, *IDS)) or any(word in _NEITHER for word in words)
