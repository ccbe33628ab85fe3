"""The model file: written reproducibly, read safely."""

import hashlib
import json
import zipfile
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
"""Order of the columns, in centimetres each."""

# skops refuses this one by default because a forged tree can point outside its own arrays.
# It is read only after the digest of the file has been compared with the card's.
_TRUSTED = ["sklearn.tree._tree.Tree"]
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ModelError(Exception):
    """The model file is missing, damaged or not the one that its card describes."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model file; lies beside it as JSON."""

    algorithm: str
    sha256: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    trees: int
    max_depth: int
    seed: int
    accuracy: float
    """Mean accuracy of a stratified 5-fold cross-validation, 0 to 1."""
    scikit_learn: str
    """Version of scikit-learn that trained it."""

    def to_json(self) -> str:
        """The card as JSON text with a final newline."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """Reads a card; raises ModelError when it is not one."""
        try:
            fields: dict[str, Any] = json.loads(text)
            fields["classes"] = tuple(fields["classes"])
            fields["features"] = tuple(fields["features"])
            return cls(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"the model card cannot be read: {error}") from error


@dataclass(frozen=True)
class Prediction:
    """Most probable species, and the probability of each."""

    species: str
    probabilities: dict[str, float]


class Model:
    """A trained forest with its card."""

    def __init__(self, forest: RandomForestClassifier, card: ModelCard) -> None:
        self.card = card
        self._forest = forest

    def predict(self, rows: NDArray[np.float64]) -> list[Prediction]:
        """Predicts the species of each row.

        rows: shape (n, 4), columns in the order of FEATURES, in centimetres.
        """
        if rows.shape[1:] != (len(FEATURES),):
            raise ValueError(f"expected rows of {len(FEATURES)} columns, got shape {rows.shape}")
        table: NDArray[np.float64] = self._forest.predict_proba(rows)
        return [
            Prediction(
                species=self.card.classes[int(row.argmax())],
                probabilities=dict(zip(self.card.classes, row.tolist(), strict=True)),
            )
            for row in table
        ]


def dump_forest(forest: RandomForestClassifier) -> bytes:
    """The forest in the skops format, the same bytes for the same forest.

    skops names parts by their address in memory and stamps them with the time; here they are
    numbered in the order in which they occur, and carry no time.
    """
    with zipfile.ZipFile(BytesIO(skops.io.dumps(forest))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts.pop("schema.json"))
    names: dict[str, str] = {}
    _number(schema, names, [0])
    text = json.dumps(schema, separators=(",", ":"), sort_keys=True).encode()
    out = BytesIO()
    # Stored, not deflated: compressors differ in the bytes that they make.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for old, new in names.items():
            archive.writestr(_entry(new), parts[old])
        archive.writestr(_entry("schema.json"), text)
    return out.getvalue()


def load_model(path: Path | None = None) -> Model:
    """Loads a model after comparing its digest with its card's.

    path: the model file, with the card beside it as ``.json``; None takes the one in the package.
    Raises ModelError.
    """
    if path is None:
        with as_file(files("iris_service") / "artifacts" / "iris.skops") as packaged:
            return load_model(packaged)
    try:
        card = ModelCard.from_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model cannot be read: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.sha256:
        raise ModelError(f"{path.name} has sha256 {digest}, its card says {card.sha256}")
    if card.features != FEATURES:
        raise ModelError(f"the model wants {card.features}, this service offers {FEATURES}")
    forest = skops.io.loads(data, trusted=_TRUSTED)
    if not isinstance(forest, RandomForestClassifier):
        raise ModelError(f"{path.name} holds a {type(forest).__name__}, not a random forest")
    # One thread: concurrency comes from requests, and a container has few cores.
    forest.set_params(n_jobs=1)
    return Model(forest, card)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    return entry


def _number(node: Any, names: dict[str, str], counter: list[int]) -> None:
    if isinstance(node, list):
        for item in node:
            _number(item, names, counter)
    elif isinstance(node, dict):
        if "__id__" in node:
            counter[0] += 1
            node["__id__"] = counter[0]
        if "file" in node:
            node["file"] = names.setdefault(node["file"], f"{len(names)}.npy")
        for item in node.values():
            _number(item, names, counter)
