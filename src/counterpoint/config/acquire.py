"""The acquire file: which list of URLs, which rows of it, how they are fetched, what is kept and where."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from counterpoint.config.files import absolute, load, overridden
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
"""What the published lists call their columns; ``laion-5b`` is also Re-LAION-5B's."""


class Columns(Section):
    """What the list calls its columns; only ``url`` and ``text`` must be there."""

    id: str | None = None
    """The row's name; without one, its number in the input."""
    url: str = "URL"
    """Where the image is."""
    text: str = "TEXT"
    """The alt-text."""
    width: str | None = None
    """Width of the image in px, as the list has it."""
    height: str | None = None
    """Height of the image in px, as the list has it."""
    license: str | None = None
    """Its licence, kept as it is."""
    nsfw: str | None = None
    """A judgement such as UNLIKELY, UNSURE or NSFW."""
    similarity: str | None = None
    """Similarity of text and image."""
    punsafe: str | None = None
    """Chance that the image is unsafe."""
    pwatermark: str | None = None
    """Chance that the image has a watermark."""
    label: str | None = None
    """A label that the list has already."""
    sha256: str | None = None
    """What the image's bytes must hash to, in hex; another image is ``hash_mismatch``."""


class Input(Delimited, Section):
    """The list of URLs: files, folders or globs of Parquet, CSV, TSV or JSON lines, here or wherever fsspec reaches."""

    path: Annotated[tuple[str, ...], Field(min_length=1)]
    """One or many paths; ``s3://bucket/part-*.parquet`` needs the fsspec package for s3."""
    preset: str | None = None
    """What the columns are called: ``laion-400m`` or ``laion-5b``; null: the first of them that fits."""
    columns: Mapping[str, str | None] = Field(default_factory=dict)
    """What single columns are called, over the preset; null says that there is none."""
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
        Columns.read({"url": "URL", "text": "TEXT"} | dict(self.columns), where="input.columns")
        return self


class Select(Section):
    """Which rows of the list are fetched; each rule's removals are counted, a row under the first that it fails."""

    preset: str | None = None
    """The whole selection of a published study: ``study-2023``; other keys stand above it."""
    keywords: KeywordRules | None = None
    """Words that make the label from the text; a row of no class, or of two, is left out."""
    allowed_characters: str | None = None
    """A regular expression that the whole text must match."""
    min_words: Count = 0
    """Fewest words of a text."""
    max_words: Positive | None = None
    """Most words of a text."""
    nsfw: tuple[str, ...] | None = ("UNLIKELY",)
    """Which judgements may stay, when the list has that column; null: all."""
    max_punsafe: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    """Largest chance of being unsafe, when the list has that column; null: any."""
    max_pwatermark: Annotated[float, Field(ge=0, le=1)] | None = None
    """Largest chance of a watermark."""
    min_similarity: float | None = None
    """Least similarity of text and image."""
    min_side_px: Positive | None = None
    """Shortest side, as the list has it."""
    max_side_px: Positive | None = None
    """Longest side, as the list has it."""
    max_aspect: Annotated[float, Field(ge=1)] | None = None
    """Longest side over shortest side, as the list has them."""
    unique_urls: bool = True
    """Whether a URL that comes again is left out; the first stays."""
    caps: Mapping[str, Positive] | Positive | None = None
    """Most rows of each class, or of all classes alike; without labels, most rows."""
    sample: Literal["first", "seeded"] = "first"
    """Which rows a cap keeps: the first of the input, or a sample that ``seed`` draws."""
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
        "allowed_characters": r"[a-zA-Z .,]+\n?",  # the study's ^…$, as Python reads it, lets one line end pass
        "caps": {"person": 8000, "animal": 6000},
        "nsfw": None,
        "unique_urls": False,
    }
}
"""The 2023 study's own rules: it took what came, NSFW or not, twice or not."""


class Guard(Section):
    """What is refused before a byte is sent."""

    allow_address: tuple[str, ...] = ()
    """Networks such as 127.0.0.1/32 that may be reached although they are not public: your own mirror."""
    max_url_bytes: Annotated[int, Field(ge=1, le=1 << 20)] = 2048
    """Longest URL."""
    respect_optout: bool = True
    """Whether an image is left alone when X-Robots-Tag says noai, noimageai, noindex or noimageindex."""
    robots: bool = False
    """Whether robots.txt of each host is read first and obeyed."""


class Fetch(Section):
    """How images are fetched: limits for one, and manners towards each host."""

    connections: Annotated[int, Field(ge=1, le=4096)] = 256
    """Transfers at once of one worker."""
    per_host: Annotated[int, Field(ge=1, le=4096)] = 6
    """Connections to one host of one worker."""
    connect_s: Seconds = 5.0
    """Longest time to look up, connect and shake hands."""
    total_s: Seconds = 20.0
    """Longest time of one image, redirects and waiting for the host's permission included."""
    min_bytes_per_s: Count = 1024
    """Slower than this for ``slow_s`` is too slow."""
    slow_s: Annotated[int, Field(ge=1, le=3600)] = 5
    """How long a transfer may be slower than ``min_bytes_per_s``."""
    max_redirects: Annotated[int, Field(ge=0, le=100)] = 4
    """Most redirects; each is checked as the first URL was."""
    max_body_bytes: Annotated[int, Field(ge=1, le=1 << 30)] = 10 << 20
    """Largest body, by its header and while it streams."""
    host_failures: Positive = 5
    """A host that cannot be reached this often running is dead for the rest of the shard."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    """How often a retryable failure is tried within one run; ``retry`` tries again later."""
    contact: str | None = None
    """A URL or address in the user agent, so that a host can reach you."""
    user_agent: str | None = None
    """The whole user agent; null: Counterpoint's own, with ``contact``."""
    verify_tls: bool = True
    """Whether certificates are checked."""
    ca_file: Path | None = None
    """Certificates to trust beside the system's: your own mirror's."""


class Decode(Section):
    """Limits of an image's header, and of the time that decoding takes."""

    min_side_px: Positive = 16
    """Shortest side."""
    max_side_px: Positive = 20_000
    """Longest side."""
    max_pixels: Pixels = 64_000_000
    """Most pixels."""
    max_aspect: Annotated[float, Field(ge=1)] = 10.0
    """Longest side over shortest side, at most."""
    max_decode_s: Seconds = 20.0
    """Longest time to decode one image; its worker is ended then, and the row is ``decode_timeout``."""


class Run(Section):
    """Who does the work; nothing here changes what comes out."""

    engine: str = "local"
    """``local``, ``inline``, ``ray``, or a path such as ``my_lab.cluster:run``."""
    address: str | None = None
    """Of a Ray cluster; null: RAY_ADDRESS, else a cluster of this machine's own."""
    workers: Workers | None = None
    """Processes; by default one a core."""
    shards_at_once: Annotated[int, Field(ge=1, le=1000)] = 8
    """Shards of one task; of these a worker feeds the next in while the tail of one waits."""


_INPUT_OF_A_PLAN = {"path", "preset", "columns", "separator", "quoting", "encoding"}


class AcquireConfig(Section):
    """A whole acquire file."""

    acquisition: Name
    """Its name: letters, digits, dots, dashes and underscores."""
    input: Input
    """The list of URLs."""
    output: str
    """The folder for plan, shards and events; a path, or a URL that fsspec reaches."""
    storage: Storage = Field(default_factory=dict)
    """Options for fsspec, for ``output``."""
    select: Select = Select()
    """Which rows are fetched."""
    guard: Guard = Guard()
    """What is refused."""
    fetch: Fetch = Fetch()
    """How images are fetched."""
    decode: Decode = Decode()
    """Which images are decoded."""
    keep: Literal["jpeg-256", "gray-64", "original"] = "jpeg-256"
    """What is kept of an image: at most 256 px a side in colour, 64 × 64 gray pixels, or its bytes as they came."""
    duplicates: Literal["keep", "mark"] = "keep"
    """Whether of images with the same bytes in one shard all stay, or the first only (the others: ``duplicate``)."""
    shard_rows: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    """Slots of a shard."""
    run: Run = Run()
    """Who does the work."""

    def plan_settings(self) -> dict[str, Any]:
        """Return the settings that a plan is bound to: which row is which slot, and what is kept of an image.

        Not guard and fetch: what they refuse or give up has a status, and may be had later with other limits.
        """
        named = ("select", "decode", "keep", "duplicates", "shard_rows")
        # A plan is there for all to read: not the keys of an object store, which change nothing that comes out.
        included: dict[str, Any] = {**dict.fromkeys(named, True), "input": _INPUT_OF_A_PLAN}
        dumped = self.model_dump(mode="json", include=included, exclude={"decode": {"max_decode_s"}})
        return dumped | {"input": redacted(dumped["input"])}


def read_acquire(path: Path, overrides: tuple[str, ...] = ()) -> AcquireConfig:
    """Return the acquisition that the YAML file at *path* describes, after *overrides* such as ``keep=gray-64``.

    Relative paths in the file are relative to its folder.

    Raises
    ------
    ConfigError
        When the file is not there, is not YAML, or has a wrong key or value.
    """
    return AcquireConfig.read(_resolved(overridden(load(path), overrides), path.parent))


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
