"""Trains the model that the package carries: ``iris-train [DIRECTORY]``."""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

from iris_service.model import FEATURES, ModelCard, dump_forest


@dataclass(frozen=True)
class Recipe:
    """All that decides what is trained."""

    trees: int = 24
    max_depth: int = 4
    seed: int = 20240229


@dataclass(frozen=True)
class DataSet:
    """Fisher's 150 flowers."""

    rows: NDArray[np.float64]
    """Shape (150, 4), columns in the order of FEATURES, in centimetres."""
    labels: NDArray[np.int64]
    """Shape (150,), indices into classes."""
    classes: tuple[str, ...]


def load_data() -> DataSet:
    """The data set that scikit-learn carries; needs no network."""
    bunch = load_iris()
    return DataSet(
        rows=np.asarray(bunch.data, dtype=np.float64),
        labels=np.asarray(bunch.target, dtype=np.int64),
        classes=tuple(str(name) for name in bunch.target_names),
    )


def make_forest(recipe: Recipe) -> RandomForestClassifier:
    """An untrained forest; runs on one thread."""
    return RandomForestClassifier(
        n_estimators=recipe.trees,
        max_depth=recipe.max_depth,
        random_state=recipe.seed,
        n_jobs=1,
    )


def cross_validate(recipe: Recipe, data: DataSet, folds: int = 5) -> NDArray[np.float64]:
    """Accuracy of each fold of a stratified, shuffled cross-validation, shape (folds,)."""
    splits = StratifiedKFold(n_splits=folds, shuffle=True, random_state=recipe.seed)
    scores = cross_val_score(make_forest(recipe), data.rows, data.labels, cv=splits, n_jobs=1)
    return np.asarray(scores, dtype=np.float64)


def train(recipe: Recipe, data: DataSet) -> tuple[bytes, ModelCard]:
    """Trains a model: the bytes of its file, and its card. Equal input gives equal bytes."""
    forest = make_forest(recipe).fit(data.rows, data.labels)
    blob = dump_forest(forest)
    card = ModelCard(
        algorithm="random forest",
        sha256=hashlib.sha256(blob).hexdigest(),
        classes=data.classes,
        features=FEATURES,
        trees=recipe.trees,
        max_depth=recipe.max_depth,
        seed=recipe.seed,
        accuracy=round(float(cross_validate(recipe, data).mean()), 4),
        scikit_learn=sklearn.__version__,
    )
    return blob, card


def save(directory: Path, blob: bytes, card: ModelCard) -> Path:
    """Writes ``iris.skops`` and ``iris.json``; answers the path of the model file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "iris.skops"
    path.write_bytes(blob)
    path.with_suffix(".json").write_text(card.to_json(), encoding="utf-8")
    return path


def main(arguments: list[str] | None = None) -> None:
    """Command line of ``iris-train``."""
    default = Recipe()
    parser = argparse.ArgumentParser(prog="iris-train", description="Trains the iris model.")
    parser.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=Path(__file__).parent / "artifacts",
        help="where iris.skops and iris.json go (default: the package's own artifacts)",
    )
    parser.add_argument("--trees", type=int, default=default.trees)
    parser.add_argument("--max-depth", type=int, default=default.max_depth)
    parser.add_argument("--seed", type=int, default=default.seed)
    options = parser.parse_args(arguments)
    recipe = Recipe(trees=options.trees, max_depth=options.max_depth, seed=options.seed)
    blob, card = train(recipe, load_data())
    path = save(options.directory, blob, card)
    print(f"{path}: sha256 {card.sha256}, {len(blob)} bytes, accuracy {card.accuracy}")
