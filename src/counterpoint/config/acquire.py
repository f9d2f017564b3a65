"""The acquire file: the list of URLs, the selected rows, the limits of fetching, and the stored form of images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from counterpoint.config.files import absolute, overridden, read_keys
from counterpoint.config.tables import Delimited
from counterpoint.errors import did_you_mean
from counterpoint.redaction import redacted
from counterpoint.rules import KeywordRules, preset
from counterpoint.settings import Count, Name, Pixels, Positive, Section, Seed, Storage, Workers

Seconds = Annotated[float, Field(gt=0, le=3600)]

COLUMN_PRESETS: Mapping[str, Mapping[str, str]] = {
    "laion-400m": {
        "id": "SAMPLE_ID", "url": "URL", "text": "TEXT", "height": "HEIGHT", "width": "WIDTH", "license": "LICENSE",
        "nsfw": "NSFW", "similarity": "similarity",
    },
    "laion-5b": {
        "id": "key", "url": "url", "text": "caption", "height": "height", "width": "width", "similarity": "similarity",
        "punsafe": "punsafe", "pwatermark": "pwatermark",
    },
}  # fmt: skip
"""The column names of the published lists. ``laion-5b`` is also Re-LAION-5B's."""


class ListColumns(Section):
    """The column names of the list. Only ``url`` and ``text`` are required."""

    id: str | None = None
    """The row's name. Without one, its number in the input."""
    url: str = "URL"
    """The URL of the image."""
    text: str = "TEXT"
    """The alt-text."""
    width: str | None = None
    """Width of the image in px, according to the list."""
    height: str | None = None
    """Height of the image in px, according to the list."""
    license: str | None = None
    """Its licence, stored unchanged."""
    nsfw: str | None = None
    """A rating such as UNLIKELY, UNSURE or NSFW."""
    similarity: str | None = None
    """Similarity of text and image."""
    punsafe: str | None = None
    """Probability that the image is unsafe."""
    pwatermark: str | None = None
    """Probability that the image has a watermark."""
    label: str | None = None
    """An existing label in the list."""
    sha256: str | None = None
    """The SHA-256 of the image's bytes, in hex. Another image is ``hash_mismatch``."""


class Input(Delimited, Section):
    """The list of URLs: files, folders or globs of Parquet, CSV, TSV or JSON lines, local or through fsspec."""

    path: Annotated[tuple[str, ...], Field(min_length=1)]
    """One or many paths. ``s3://bucket/part-*.parquet`` needs the fsspec package for s3."""
    preset: str | None = None
    """The set of column names: ``laion-400m`` or ``laion-5b``. null: the first one that fits."""
    columns: Mapping[str, str | None] = Field(default_factory=dict)
    """Names of single columns, in place of the preset's. null: the list has no such column."""
    storage: Storage = Field(default_factory=dict)
    """Options for fsspec, such as keys of an object store."""

    @model_validator(mode="before")
    @classmethod
    def _from_one(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"path": [value]}
        if isinstance(value, Mapping) and isinstance(value.get("path"), str | Path):
            return {**value, "path": [str(value["path"])]}
        return value

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.preset is not None and self.preset not in COLUMN_PRESETS:
            raise ValueError(f"no such column preset.{did_you_mean(self.preset, COLUMN_PRESETS)}")
        ListColumns.read({"url": "URL", "text": "TEXT"} | dict(self.columns), where="input.columns")
        return self


class Select(Section):
    """The rows to fetch. The removals of each rule are counted. A row counts under the first rule that it fails."""

    preset: str | None = None
    """The whole selection of a published study: ``study-2023``. Other keys override it."""
    keywords: KeywordRules | None = None
    """Words that make the label from the text. A row of no class, or of two, is left out."""
    allowed_characters: str | None = None
    """A regular expression that the whole text must match."""
    min_words: Count = 0
    """Fewest words of a text."""
    max_words: Positive | None = None
    """Most words of a text."""
    nsfw: tuple[str, ...] | None = ("UNLIKELY",)
    """Ratings that may stay, when the list has that column. null: all."""
    max_punsafe: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    """Largest probability of being unsafe, when the list has that column. null: any."""
    max_pwatermark: Annotated[float, Field(ge=0, le=1)] | None = None
    """Largest probability of a watermark."""
    min_similarity: float | None = None
    """Smallest similarity of text and image."""
    agreement: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Smallest cosine of text and image, in a joint space, after the image is fetched. It needs the encoders
    (``pip install 'counterpoint[encoders]'``). A row below it is ``low_agreement``. The column ``agreement`` of the
    shards has the cosine of each row. -1 leaves out only rows without a text."""
    min_side_px: Positive | None = None
    """Shortest side in px, according to the list."""
    max_side_px: Positive | None = None
    """Longest side in px, according to the list."""
    max_aspect: Annotated[float, Field(ge=1)] | None = None
    """Longest side over shortest side, according to the list."""
    unique_urls: bool = True
    """Whether repeated URLs are left out. The first row of each URL stays."""
    caps: Mapping[str, Positive] | Positive | None = None
    """Most rows of each class, or one limit for every class. Without labels, most rows."""
    sample: Literal["first", "seeded"] = "first"
    """The rows that a cap keeps: the first of the input, or a sample that ``seed`` draws."""
    seed: Seed = 0
    """Seed of the sample."""

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, value: Any) -> Any:
        name = value.get("preset") if isinstance(value, Mapping) else None
        if name is None:
            return value
        if not isinstance(name, str) or name not in SELECT_PRESETS:
            raise ValueError(f"no such selection preset.{did_you_mean(str(name), SELECT_PRESETS)}")
        return {**SELECT_PRESETS[name], **value}


SELECT_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "study-2023": {
        "keywords": preset("study-2023"),
        "allowed_characters": r"[a-zA-Z .,]+\n?",  # the study's ^…$ accepts one line end in Python
        "caps": {"person": 8000, "animal": 6000},
        "nsfw": None,
        "unique_urls": False,
    }
}
"""The rules of the 2023 study. It took all rows, NSFW or not, repeated or not."""


class Guard(Section):
    """Requests and addresses that are refused before a byte is sent."""

    allow_address: tuple[str, ...] = ()
    """Networks such as 127.0.0.1/32 that may be reached although they are not public: your own mirror."""
    max_url_bytes: Annotated[int, Field(ge=1, le=1 << 20)] = 2048
    """Longest URL."""
    respect_optout: bool = True
    """Whether an image is skipped when X-Robots-Tag contains noai, noimageai, noindex or noimageindex."""
    robots: bool = False
    """Whether robots.txt of each host is read first and obeyed."""


class Fetch(Section):
    """Limits for one image, and limits for each host."""

    connections: Annotated[int, Field(ge=1, le=4096)] = 256
    """Simultaneous transfers of one worker."""
    per_host: Annotated[int, Field(ge=1, le=4096)] = 6
    """Connections to one host of one worker."""
    connect_s: Seconds = 5.0
    """Longest time to look up, connect and shake hands, in seconds."""
    total_s: Seconds = 20.0
    """Longest time of one image in seconds, with redirects and delays of the host."""
    min_bytes_per_s: Count = 1024
    """A transfer below this speed for ``slow_s`` is too slow."""
    slow_s: Annotated[int, Field(ge=1, le=3600)] = 5
    """The longest time below ``min_bytes_per_s``, in seconds."""
    max_redirects: Annotated[int, Field(ge=0, le=100)] = 4
    """Most redirects. Each is checked like the first URL."""
    max_body_bytes: Annotated[int, Field(ge=1, le=1 << 30)] = 10 << 20
    """Largest body, according to its header and while it streams."""
    host_failures: Positive = 5
    """After this many consecutive failures, a host is dead for the rest of the shard."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    """Attempts of a retryable failure within one run. ``retry`` tries again later."""
    contact: str | None = None
    """A URL or address in the user agent, so that a host can contact you."""
    user_agent: str | None = None
    """The whole user agent. null: Counterpoint's own, with ``contact``."""
    verify_tls: bool = True
    """Whether certificates are checked."""
    ca_file: Path | None = None
    """Trusted certificates in addition to the system's: your own mirror's."""


class Decode(Section):
    """Limits on an image's header, and on the decoding time."""

    min_side_px: Positive = 16
    """Shortest side in px."""
    max_side_px: Positive = 20_000
    """Longest side in px."""
    max_pixels: Pixels = 64_000_000
    """Most pixels."""
    max_aspect: Annotated[float, Field(ge=1)] = 10.0
    """Largest ratio of the longest to the shortest side."""
    max_decode_s: Seconds = 20.0
    """Longest time to decode one image, in seconds. Its worker is ended then, and the row is ``decode_timeout``."""


class Run(Section):
    """The workers. Nothing here changes the results."""

    engine: str = "local"
    """``local``, ``inline``, ``ray``, or a path such as ``my_lab.cluster:run``."""
    address: str | None = None
    """Address of a Ray cluster. null: RAY_ADDRESS, else a cluster of this machine's own."""
    workers: Workers | None = None
    """Processes (default: one for each core)."""
    shards_at_once: Annotated[int, Field(ge=1, le=1000)] = 8
    """Shards of one task. A worker feeds the next shard in while another waits for its last slots."""


_INPUT_OF_A_PLAN = {"path", "preset", "columns", "separator", "quoting", "encoding"}


class AcquireConfig(Section):
    """A whole acquire file."""

    acquisition: Name
    """Its name: letters, digits, dots, dashes and underscores."""
    input: Input
    """The list of URLs."""
    output: str
    """The folder for plan, shards and events: a path, or a URL that fsspec reaches."""
    storage: Storage = Field(default_factory=dict)
    """Options for fsspec, for ``output``."""
    select: Select = Select()
    """The rows to fetch."""
    guard: Guard = Guard()
    """Refused requests and addresses."""
    fetch: Fetch = Fetch()
    """Limits of fetching."""
    decode: Decode = Decode()
    """Limits of decoding."""
    keep: Literal["jpeg-256", "gray-64", "original"] = "jpeg-256"
    """The stored form of an image: colour of at most 256 px a side, 64 × 64 gray pixels, or its original bytes."""
    duplicates: Literal["keep", "mark"] = "keep"
    """Images with the same bytes in one shard: all stay, or the first only (the others are ``duplicate``)."""
    shard_rows: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    """Slots of a shard."""
    run: Run = Run()
    """The workers."""

    def plan_settings(self) -> dict[str, Any]:
        """Return the settings that a plan is bound to. They decide the slot of each row and the stored form of images.

        The sections guard and fetch are not among them. A row that they end has a status, and may succeed later with
        other limits.
        """
        named = ("select", "decode", "keep", "duplicates", "shard_rows")
        # Anyone may read a plan, so it has no keys of an object store. They do not change the results.
        included: dict[str, Any] = {**dict.fromkeys(named, True), "input": _INPUT_OF_A_PLAN}
        dumped = self.model_dump(mode="json", include=included, exclude={"decode": {"max_decode_s"}})
        return dumped | {"input": redacted(dumped["input"])}


def read_acquire(path: Path, overrides: tuple[str, ...] = ()) -> AcquireConfig:
    """Return the acquisition that the YAML file at *path* describes, after *overrides* such as ``keep=gray-64``.

    Relative paths in the file are relative to its folder.

    Raises
    ------
    ConfigError
        When the file is missing, is not YAML, or has a wrong key or value.
    """
    return AcquireConfig.read(_resolved(overridden(read_keys(path), overrides), path.parent))


def _resolved(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    source, fetch = values.get("input"), values.get("fetch")
    if isinstance(source, str | list):
        values["input"] = source = {"path": source}
    if isinstance(source, dict) and isinstance(source.get("path"), str | list):
        paths = source["path"] if isinstance(source["path"], list) else [source["path"]]
        source["path"] = [absolute(str(path), folder) for path in paths]
    if isinstance(values.get("output"), str):
        values["output"] = absolute(values["output"], folder)
    if isinstance(fetch, dict) and isinstance(fetch.get("ca_file"), str):
        fetch["ca_file"] = absolute(fetch["ca_file"], folder)
    return values
