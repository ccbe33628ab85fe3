"""Records of vulnerabilities in the OSV schema, for PyPI: read, checked and matched.

Needs `packaging`, or a pip to take it from. Other ecosystems are refused, ranges of commits passed by.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

try:
    from packaging.version import InvalidVersion, Version
except ImportError:
    from pip._vendor.packaging.version import InvalidVersion, Version  # type: ignore[assignment]

Record = dict[str, Any]

ECOSYSTEM = "PyPI"
EVENTS = ("introduced", "fixed", "last_affected", "limit")


class BadRecord(Exception):
    """A file in the folder is not an OSV record that can be matched."""


def normalized(name: str) -> str:
    """A project's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version_of(text: object) -> Version:
    if not isinstance(text, str):
        raise InvalidVersion(f"{text!r} is not a version")
    return Version(text)


def in_range(version: Version, events: list[dict[str, str]]) -> bool:
    """Whether OSV's range events, in order of their versions, end with `version` affected."""
    limits = [event["limit"] for event in events if "limit" in event]
    if limits and not any(limit == "*" or version < Version(limit) for limit in limits):
        return False
    affected = False
    steps = [(kind, event[kind]) for event in events for kind in EVENTS[:3] if kind in event]
    # "introduced: 0" is before every version, also before development releases of 0.
    for kind, bound in sorted(steps, key=lambda step: (step[1] != "0", Version(step[1]))):
        if kind == "introduced" and (bound == "0" or version >= Version(bound)):
            affected = True
        elif kind == "fixed" and version >= Version(bound):
            affected = False
        elif kind == "last_affected" and version > Version(bound):
            affected = False
    return affected


def is_affected(record: Record, name: str, version: Version | None) -> bool:
    """Whether a record is about this version of a project, or about any when none is given."""
    for affected in record["affected"]:
        package = affected["package"]
        if package["ecosystem"] != ECOSYSTEM or normalized(package["name"]) != name:
            continue
        if version is None:
            return True
        if any(Version(listed) == version for listed in affected.get("versions", [])):
            return True
        for span in affected.get("ranges", []):
            if span["type"] == "ECOSYSTEM" and in_range(version, span["events"]):
                return True
    return False


def check(record: object) -> Record:
    """Makes sure that matching can't fail later; ranges of commits are for people and passed by."""
    if not isinstance(record, dict):
        raise BadRecord("it is not an object")
    for key in ("id", "modified", "affected"):
        if not record.get(key):
            raise BadRecord(f"it has no {key}")
    for affected in record["affected"]:
        package = affected.get("package", {})
        if package.get("ecosystem") != ECOSYSTEM or not package.get("name"):
            raise BadRecord(f"an affected package is without a name or not of {ECOSYSTEM}")
        if not affected.get("versions") and not affected.get("ranges"):
            raise BadRecord(f"{package['name']} has neither versions nor ranges")
        for listed in affected.get("versions", []):
            version_of(listed)
        for span in affected.get("ranges", []):
            if span.get("type") == "GIT":
                continue
            if span.get("type") != "ECOSYSTEM":
                raise BadRecord(f"range type {span.get('type')!r} is not used with {ECOSYSTEM}")
            events = span.get("events", [])
            if not any("introduced" in event for event in events):
                raise BadRecord(f"a range of {package['name']} is never introduced")
            for event in events:
                if len(event) != 1 or next(iter(event)) not in EVENTS:
                    raise BadRecord(f"event {event!r} is not one of {', '.join(EVENTS)}")
                if event != {"limit": "*"}:
                    version_of(next(iter(event.values())))
    return record


def load(folder: Path) -> list[Record]:
    """All the folder's records, by id."""
    records: dict[str, Record] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            record = check(json.loads(path.read_text("utf-8")))
        except (BadRecord, InvalidVersion, ValueError, AttributeError, TypeError) as error:
            raise BadRecord(f"{path.name}: {error}") from error
        if record["id"] in records:
            raise BadRecord(f"{path.name}: {record['id']} is in the folder twice")
        records[record["id"]] = record
    if not records:
        raise BadRecord(f"{folder} holds no .json file")
    return [records[key] for key in sorted(records)]
