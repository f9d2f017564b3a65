"""The files of a kept fit: JSON, safetensors and skops, which cannot run code, and a digest of each.

A class is imported only when it is an entry of `MODELS` or the caller names it, never because a file names it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import numpy as safetensors

from counterpoint.config.encoders import ENCODER_SETTINGS
from counterpoint.contenders import MODELS, settings_of
from counterpoint.contenders.kept.digests import (
    ARRAYS,
    DIGESTS,
    MAX_BYTES,
    PARTS,
    STATE,
    one_line,
    read_files,
    reading,
    why,
    write_files,
)  # fmt: skip
from counterpoint.contenders.kept.parts import dumped, loaded, names_of
from counterpoint.contenders.kept.state import State
from counterpoint.contenders.readings import needs_trust
from counterpoint.encoders import open_encoder
from counterpoint.errors import UnreadableFitError
from counterpoint.lookup import find, path_of

STORES = ("cache", "encodings")
"""Settings with the folder of a store, which the reader of a fit gives anew."""


def keep(model: Any, folder: Path) -> None:
    """Write the files of the fitted contender *model* to *folder*, and last their digests.

    Raises
    ------
    UnreadableFitError
        When its state contains a value that cannot be kept.
    RunFolderError
        When the files cannot be written.
    """
    gathered = _Gathered()
    try:
        document = gathered.add(model)
        files = {STATE: _json(document), ARRAYS: safetensors.save(gathered.arrays)}
        if gathered.parts:
            files[PARTS] = dumped(gathered.parts, sorted(gathered.part_types))
    except Exception as error:  # the contender may be a class from outside
        raise UnreadableFitError(f"{type(model).__name__} cannot be kept: {why(error)}.") from error
    too_large = [name for name, data in files.items() if len(data) > MAX_BYTES[name]]
    if too_large:
        raise UnreadableFitError(f"{type(model).__name__} cannot be kept: {too_large[0]} would be too large.")
    write_files(folder, files)


def keep_none(folder: Path, why: str) -> None:
    """Record in *folder* that its fit is not kept, and *why*."""
    write_files(folder, {STATE: _json({"not_kept": why})})


def load(
    folder: Path, *, trusted: Collection[str] = (), cache: Path | None = None, encodings: Path | None = None
) -> Any:
    """Return the fitted contender in *folder*.

    Parameters
    ----------
    folder
        *folder* is the folder of a fit.  It may come from a stranger.
    trusted
        *trusted* are the classes from outside this package that may be imported, such as ``my_lab.bayes:CharBayes``,
        and the encoders from outside its catalogue that may be opened.
    cache, encodings
        *cache* is the folder of the stored pixels, and *encodings* the folder of the stored encodings.

    Raises
    ------
    UnreadableFitError
        When there is no fit, or it is damaged, was not kept, or has a class or an encoder that is not trusted.
    ConfigError
        When an encoder is not installed.
    """
    if not (folder / DIGESTS).exists():
        raise UnreadableFitError(f"No fitted contender is kept in {folder}. Run the study to fit it.")
    files = read_files(folder)
    with reading(folder / STATE):
        document = json.loads(files[STATE])
        if "not_kept" in document:
            raise UnreadableFitError(f"{folder} keeps no fitted contender: {one_line(document['not_kept'])}")
    with reading(folder / ARRAYS):
        arrays = safetensors.load(files[ARRAYS])
    classes = [find(name, MODELS, what="contender") for name in trusted if ":" in name]
    allowed = _Allowed(folder, trusted, {path_of(kind): kind for kind in classes})
    with reading(folder / STATE):
        encoders = set(allowed.encoders(document))
    for name in encoders:
        open_encoder(name)  # a missing package is no damage of the fit
    with reading(folder / PARTS):
        parts = loaded(files[PARTS], _part_types(document, allowed)) if PARTS in files else {}
    with reading(folder / STATE):
        model = _Restored(arrays, parts, allowed, {"cache": cache, "encodings": encodings}).model(document)
        _try(model)
    return model


@dataclass
class _Gathered:
    """The arrays and scikit-learn parts of a contender and of its inner fits, each array once."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    part_types: set[str] = field(default_factory=set)
    places: dict[Any, str] = field(default_factory=dict)

    def add(self, model: Any, path: str = "") -> dict[str, Any]:
        """Gather the arrays and parts of a *model*, named under *path*, and return the rest as JSON."""
        state: State = model.state()
        self.part_types.update(names_of(model.part_types))
        self.parts |= {path + name: part for name, part in state.parts.items()}
        settings = settings_of(type(model))(**model.get_params(deep=False)).model_dump(mode="json")
        return {
            "class": path_of(type(model)),
            "settings": {name: value for name, value in settings.items() if name not in STORES},
            "values": dict(state.values),
            "arrays": {name: self._array(path + name, array) for name, array in state.arrays.items()},
            "parts": sorted(state.parts),
            "fits": {name: self.add(fit, f"{path}{name}/") for name, fit in state.fits.items()},
        }

    def _array(self, place: str, array: NDArray[Any]) -> Any:
        """Return the place of an array, or a list of its texts."""
        if array.dtype.kind in "UT" and array.ndim == 1:
            return array.tolist()
        # The order in memory is kept as well: the last bits of sums depend on it.
        is_turned = bool(array.flags.f_contiguous and not array.flags.c_contiguous)
        turned = array.T if is_turned else array
        stored = np.ascontiguousarray(turned).reshape(turned.shape)
        # Networks that share weights, as a joint one and its branches do, store them once.
        place = self.places.setdefault((stored.dtype.str, stored.shape, sha256(stored.tobytes()).digest()), place)
        self.arrays[place] = stored
        return {"at": place, "turned": is_turned}


@dataclass(frozen=True)
class _Allowed:
    """The classes that may be imported for the fit in *folder*, and the encoders that may be opened.

    These are those of this package, and the *trusted* ones.  *classes* has the trusted classes by their paths.
    """

    folder: Path
    trusted: Collection[str]
    classes: Mapping[str, Any]

    def kind(self, path: str) -> Any:
        """Return the class of a contender."""
        if path in self.classes:
            return self.classes[path]
        if path not in MODELS.values():
            raise self._refused(f"was fitted by {one_line(path)}", "a class", "package")
        return find(path, MODELS, what="contender")

    def encoders(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Yield the encoders whose vectors a contender of this package and its inner fits read."""
        named = (document["settings"].get(name) for name in ENCODER_SETTINGS if document["class"] not in self.classes)
        for encoder in map(str, filter(None, named)):
            if needs_trust(encoder) and encoder not in self.trusted:
                raise self._refused(f"reads vectors of {one_line(encoder)}", "an encoder", "catalogue")
            yield encoder
        for fit in document["fits"].values():
            yield from self.encoders(fit)

    def _refused(self, deed: str, what: str, outside: str) -> UnreadableFitError:
        this = f"this {what.partition(' ')[2]}"
        return UnreadableFitError(
            f"{self.folder} {deed}, {what} from outside this {outside} that was not named. "
            f"If you trust {this}, name it with --trust, or in a study file."
        )


@dataclass(frozen=True)
class _Restored:
    """The contents of the files of a fit, from which contenders are restored."""

    arrays: Mapping[str, NDArray[Any]]
    parts: Mapping[str, Any]
    allowed: _Allowed
    stores: Mapping[str, Path | None]

    def model(self, document: Mapping[str, Any], path: str = "") -> Any:
        """Return the fitted contender that *document* describes."""
        kind = self.allowed.kind(document["class"])
        known, given = settings_of(kind), dict(document["settings"])
        given |= {name: place and str(place) for name, place in self.stores.items() if name in known.model_fields}
        checked = known.read(given, where=document["class"])
        state = State(
            arrays={name: self._array(stored) for name, stored in document["arrays"].items()},
            values=document["values"],
            parts={name: self.parts[path + name] for name in document["parts"]},
            fits={name: self.model(fit, f"{path}{name}/") for name, fit in document["fits"].items()},
        )
        return kind(**{name: getattr(checked, name) for name in given}).restore(state)

    def _array(self, stored: Any) -> NDArray[Any]:
        if isinstance(stored, list):
            return np.array([str(text) for text in stored], dtype=np.str_)
        array = self.arrays[stored["at"]]
        return array.T if stored["turned"] else array


def _part_types(document: Mapping[str, Any], allowed: _Allowed) -> list[str]:
    """Return the types of scikit-learn that a contender and its inner fits may contain."""
    own = set(names_of(allowed.kind(document["class"]).part_types))
    return sorted(own.union(*(_part_types(fit, allowed) for fit in document["fits"].values())))


def _try(model: Any) -> None:
    """Predict an empty pair, unless the contender is from outside: this finds arrays of wrong shapes."""
    if path_of(type(model)) in MODELS.values():
        pair = pl.DataFrame({"text": [None], "image": [None]}, schema={"text": pl.String, "image": pl.String})
        proba = model.predict_proba(pair)
        n_classes = len(set(map(str, model.classes_)))
        if proba.shape != (1, n_classes) or not (proba >= 0).all() or not np.isclose(proba.sum(), 1):
            raise ValueError("its prediction is not one probability for each class")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
