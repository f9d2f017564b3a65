"""A commented acquire file, inferred from the header of a list of URLs and a sample of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from counterpoint.acquire.lists.columns import ROLES, check_type
from counterpoint.acquire.lists.inputs import find_inputs
from counterpoint.config.acquire import COLUMN_PRESETS
from counterpoint.data.infer.columns import label_columns, text_columns
from counterpoint.data.infer.names import LABELS, name_rank, plain_name
from counterpoint.data.infer.sample import sampled
from counterpoint.data.infer.writing import in_comment, seen_from, setting_line, study_name
from counterpoint.errors import SourceError
from counterpoint.formats.tables import open_table
from counterpoint.schema import Frame

URLS = (
    "url", "image_url", "img_url", "picture_url", "photo_url", "bild_url", "image", "img", "src", "image_src",
    "image_link", "link", "href", "uri", "image_uri", "original_url", "content_url", "thumbnail_url",
)  # fmt: skip
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("sample_id", "key", "id", "uid", "uuid", "guid", "image_id", "photo_id"),
    "width": ("width", "image_width", "original_width", "breite"),
    "height": ("height", "image_height", "original_height", "hoehe", "hohe"),
    "license": ("license", "licence", "lizenz", "license_name", "rights"),
    "nsfw": ("nsfw", "is_nsfw", "unsafe"),
    "similarity": ("similarity", "clip_similarity", "clip_score", "clip_b_32_similarity", "clip_l14_similarity_score"),
    "punsafe": ("punsafe", "p_unsafe", "nsfw_score", "unsafe_score", "nsfw"),
    "pwatermark": ("pwatermark", "p_watermark", "watermark_score"),
    "sha256": ("sha256",),
}  # fmt: skip
"""The usual names of the column of a role, the likeliest first."""
STAYS = "ratings that may stay, when the list has that column"
SAFE = ("unlikely", "safe", "sfw", "false", "no", "0")
"""Ratings of images that may stay."""
_IS_URL = r"(?i)^\s*(?:https?:)?//\S+\.\S+"
_OF_IMAGE = r"(?i)\.(?:jpe?g|png|gif|webp|avif|bmp)(?:[?#]|$)"

TEMPLATE = """\
# From a list of URLs with alt-texts to pairs on disk.  Read docs/acquire.md first: it explains the allowed lists and
# the guard.  Without --from, `counterpoint acquire new` writes a file with every setting.
#
#   counterpoint acquire plan {file}     select, no network
#   counterpoint acquire run {file}      fetch. After a stop, the same command goes on
#   counterpoint new study.yaml --from acquired     then, a study of the fetched pairs
{notes}
acquisition: {name}
output: acquired          # the folder for plan, shards and events

input:
{source}
{unused}
select:
{select}
# caps: 1000              # largest number of rows of each class, for a first try
# min_side_px: null       # shortest side, according to the list
# unique_urls: true       # a repeated URL is left out
{keywords}
# keep: jpeg-256          # or original, or gray-64
# fetch:
#   contact: null         # a URL or address of yours in the user agent, so that a host can contact you
"""


@dataclass
class _List:
    """The findings about a list: the column of each role, comments by role, and other sections of the file."""

    roles: dict[str, str | None]
    comments: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    select: dict[str, Any] = field(default_factory=dict)
    select_comments: dict[str, str] = field(default_factory=lambda: {"nsfw": STAYS})


def acquire_file(file: Path, path: str) -> str:
    r"""Return the text of an acquire file at *file* for the list at *path*: a file, a folder or a pattern.

    Raises
    ------
    SourceError
        When there is no list, or it has no column of URLs or no column of texts.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.csv").write_text("link,alt\nhttp://a.org/1.jpg,a cat\nhttp://a.org/2.jpg,a dog\n")
    ...     text = acquire_file(Path(folder, "acquire.yaml"), f"{folder}/a.csv")
    >>> print("\n".join(text.splitlines()[10:15]))
    input:
      path: a.csv
      columns:
        url: link
        text: alt
    """
    first = find_inputs([path], {})[0]
    if first.files is not None:
        raise SourceError(f"{path}: --from reads lists on this machine. Copy a part of the list here.")
    list_file = Path(first.path)
    rows = sampled(open_table(list_file)).rows
    found = _of(rows, list_file)
    where = setting_line("path", seen_from(file, Path(path).expanduser().absolute()), None)
    unused = [name for name in rows.columns if name not in found.roles.values()]
    notes = "".join(f"#\n# NOTE: {in_comment(note)}\n" for note in found.notes)
    return TEMPLATE.format(
        file=file, name=study_name(list_file), notes=notes,
        source=f"{where}\n  columns:\n{_lines(found.roles, found.comments, '    ')}",
        unused=f"# Not used: {in_comment(', '.join(unused[:20]))}.\n" if unused else "",
        select=_lines(found.select or {"nsfw": ["UNLIKELY"]}, found.select_comments, "  "),
        keywords="" if "label" in found.roles else KEYWORDS,
    )  # fmt: skip


def _lines(settings: Mapping[str, Any], comments: Mapping[str, str], indent: str) -> str:
    return "\n".join(setting_line(name, value, comments.get(name), indent) for name, value in settings.items())


KEYWORDS = """\
# keywords:               # the list has no labels. Words in the text can make them
#   classes: {person: [man, woman], animal: [cat, dog]}
"""


def _of(rows: Frame, path: Path) -> _List:
    url = _url(rows, path)
    named = {role: _named(rows, role) for role in NAMES}
    taken = {name for name in named.values() if name}
    text = text_columns(rows[[name for name in rows.columns if name not in {*taken, *url}]])
    if text.first is None:
        raise SourceError(f"{path} has no column of texts in addition to {url[0]!r}. Found {', '.join(rows.columns)}.")
    found = _List({"url": url[0], "text": text.first, **{role: name for role, name in named.items() if name}})
    label = label_columns(rows, {*taken, *url, text.first})
    if label.first is not None and name_rank(label.first, LABELS) < 2 * len(LABELS):
        found.roles["label"] = label.first
    for role, others in (("url", url[1:]), ("text", [name for name in text.names[1:] if name != label.first])):
        if others:
            found.comments[role] = f"could also be {', '.join(others[:3])}"
    _leave_out(found, _kinds(path), rows.columns, path)
    _choose_nsfw(found, rows)
    return found


def _url(rows: Frame, path: Path) -> list[str]:
    """Return the columns of URLs, the likeliest column of the image first."""
    strings = [name for name, kind in rows.schema.items() if kind == pl.String]
    fit = [name for name in strings if _share(rows[name], _IS_URL) > 0.5]
    if not fit:
        found = ", ".join(rows.columns)
        raise SourceError(f"{path} has no column of URLs such as https://example.org/a.jpg. Found {found}.")
    return sorted(fit, key=lambda name: (-round(_share(rows[name], _OF_IMAGE)), name_rank(name, URLS)))


def _share(values: pl.Series, pattern: str) -> float:
    given = values.alias("").drop_nulls()  # a name such as "^)$" would be read as a regular expression
    return int(given.str.contains(pattern).sum()) / len(given) if len(given) else 0.0


def _named(rows: Frame, role: str) -> str | None:
    by_name = {plain_name(name): name for name in reversed(rows.columns)}
    fit = (by_name[name] for name in NAMES[role] if name in by_name)
    return next((name for name in fit if role != "punsafe" or _are_chances(rows[name])), None)


def _are_chances(values: pl.Series) -> bool:
    numbers = values.alias("").cast(pl.String).cast(pl.Float64, strict=False).drop_nulls()
    is_whole = (numbers == numbers.floor()).all()
    return len(numbers) > 0 and len(numbers) == values.count() and bool(numbers.is_between(0, 1).all()) and not is_whole


def _kinds(path: Path) -> Mapping[str, pa.DataType]:
    if path.suffix.lower() != ".parquet":
        return {}
    return {part.name: part.type for part in pq.read_schema(path)}


def _leave_out(found: _List, kinds: Mapping[str, pa.DataType], columns: list[str], path: Path) -> None:
    """Set a role to null whose column has the wrong type, or bears the usual name but was not chosen."""
    for role, name in list(found.roles.items()):
        if name is not None and name in kinds:
            try:
                check_type(role, name, kinds[name], path=str(path))
            except SourceError as error:
                found.roles[role], found.comments[role] = None, str(error).removeprefix(f"{path}: ").removesuffix(".")
    for role in ROLES:
        names = [preset[role] for preset in COLUMN_PRESETS.values() if role in preset]
        if role not in found.roles and any(name in columns for name in names):
            found.roles[role] = None


def _choose_nsfw(found: _List, rows: Frame) -> None:
    """Choose the ratings that may stay, among the values in the list."""
    name = found.roles.get("nsfw")
    if name is None:
        return
    if name == found.roles.get("punsafe"):
        found.roles["nsfw"] = None
        return
    seen = rows[name].alias("seen").cast(pl.String).drop_nulls().value_counts(sort=True)["seen"].to_list()
    safe = [value for value in seen if value.strip().lower() in SAFE]
    if safe:
        found.select["nsfw"] = safe
        found.select_comments["nsfw"] = f"ratings that may stay. Found: {', '.join(seen[:6])}"
    elif seen:
        found.roles["nsfw"] = None
        found.notes.append(
            f"column {name!r} is not read, so unsafe images may stay. Set input.columns.nsfw: {name}, and list its "
            f"safe values under select.nsfw. Found: {', '.join(seen[:6])}."
        )
