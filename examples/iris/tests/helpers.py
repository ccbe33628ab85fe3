"""What several tests need."""

from typing import Any

from iris_service.model import FEATURES

SETOSA = (5.1, 3.5, 1.4, 0.2)
VERSICOLOR = (5.9, 2.8, 4.2, 1.3)
VIRGINICA = (6.7, 3.1, 5.6, 2.3)


def flower(*measures: float, **changes: Any) -> dict[str, Any]:
    """A flower as JSON; without measures a typical setosa, with the changes made."""
    return {**dict(zip(FEATURES, measures or SETOSA, strict=True)), **changes}


def request_of(*flowers: Any) -> dict[str, Any]:
    """A body of /predict."""
    return {"instances": list(flowers)}
