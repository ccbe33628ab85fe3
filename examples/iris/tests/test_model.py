"""The model file."""

import json
import shutil
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier

import iris_service
from iris_service.model import FEATURES, Model, ModelCard, ModelError, dump_forest, load_model
from iris_service.training import DataSet, Recipe, make_forest, save, train

ARTIFACTS = Path(iris_service.__file__).parent / "artifacts"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the packaged model that a test may damage."""
    for name in ("iris.skops", "iris.json"):
        shutil.copy(ARTIFACTS / name, tmp_path / name)
    return tmp_path / "iris.skops"


def change_card(path: Path, **changes: object) -> None:
    """Replaces fields of the card beside a model."""
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


def test_loads_the_packaged_model(model: Model) -> None:
    assert model.card.classes == ("setosa", "versicolor", "virginica")
    assert model.card.features == FEATURES


def test_loads_a_model_from_a_path(copied: Path, model: Model) -> None:
    assert load_model(copied).card == model.card


def test_loads_from_a_read_only_directory(copied: Path) -> None:
    before = sorted(one.name for one in copied.parent.iterdir())
    copied.chmod(0o444)
    copied.parent.chmod(0o555)
    try:
        load_model(copied)
    finally:
        copied.parent.chmod(0o755)
    assert sorted(one.name for one in copied.parent.iterdir()) == before


def test_rejects_a_damaged_model(copied: Path) -> None:
    data = bytearray(copied.read_bytes())
    data[len(data) // 2] ^= 1
    copied.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"iris\.skops has sha256 [0-9a-f]{64}, its card says"):
        load_model(copied)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_rejects_a_truncated_model(copied: Path, size: int) -> None:
    copied.write_bytes(copied.read_bytes()[:size])
    with pytest.raises(ModelError, match="sha256"):
        load_model(copied)


@pytest.mark.parametrize("name", ["iris.skops", "iris.json"])
def test_rejects_a_missing_file(copied: Path, name: str) -> None:
    (copied.parent / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_model(copied)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"classes": [], "features": []}'])
def test_rejects_a_card_that_is_none(copied: Path, text: str) -> None:
    copied.with_suffix(".json").write_text(text)
    with pytest.raises(ModelError, match="card cannot be read"):
        load_model(copied)


def test_rejects_a_model_of_other_features(copied: Path) -> None:
    change_card(copied, features=list(reversed(FEATURES)))
    with pytest.raises(ModelError, match="this service offers"):
        load_model(copied)


def test_rejects_another_kind_of_model(tmp_path: Path, data: DataSet, model: Model) -> None:
    tree = DecisionTreeClassifier(max_depth=1).fit(data.rows, data.labels)
    path = tmp_path / "iris.skops"
    path.write_bytes(skops.io.dumps(tree))
    path.with_suffix(".json").write_text(model.card.to_json())
    digest = __import__("hashlib").sha256(path.read_bytes()).hexdigest()
    change_card(path, sha256=digest)
    with pytest.raises(ModelError, match="DecisionTreeClassifier, not a random forest"):
        load_model(path)


def test_a_card_survives_the_file(model: Model) -> None:
    assert ModelCard.from_json(model.card.to_json()) == model.card


@pytest.mark.parametrize("shape", [(4,), (1, 3), (1, 5), (2, 2, 4), (0,)])
def test_rejects_rows_of_another_shape(model: Model, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected rows of 4 columns"):
        model.predict(np.zeros(shape))


def test_the_file_is_no_pickle() -> None:
    with ZipFile(ARTIFACTS / "iris.skops") as archive:
        kinds = {Path(name).suffix for name in archive.namelist()}
    assert kinds == {".json", ".npy"}


def test_the_file_holds_no_type_beyond_trees() -> None:
    data = (ARTIFACTS / "iris.skops").read_bytes()
    assert skops.io.get_untrusted_types(data=data) == ["sklearn.tree._tree.Tree"]


def test_the_file_holds_no_time_and_no_address(data: DataSet) -> None:
    forest = make_forest(Recipe(trees=2)).fit(data.rows, data.labels)
    with ZipFile(BytesIO(dump_forest(forest))) as archive:
        entries = archive.infolist()
        schema = json.loads(archive.read("schema.json"))
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {one.compress_type for one in entries} == {ZIP_STORED}
    assert schema["__id__"] == 1


def test_a_forest_survives_the_file(data: DataSet, tmp_path: Path) -> None:
    recipe = Recipe(trees=9, seed=3)
    forest = make_forest(recipe).fit(data.rows, data.labels)
    loaded = load_model(save(tmp_path, *train(recipe, data)))
    expected = forest.predict_proba(data.rows)
    answers = [list(one.probabilities.values()) for one in loaded.predict(data.rows)]
    assert np.array_equal(np.array(answers), expected)
