"""pytest plugin: says which test runs, and runs one shard of them.

A test that began and did not end leaves a file in $SLIPWAY_RUNNING, so that a run that was stopped
for time can name the tests that hung. $SLIPWAY_SHARD (`2/4`) keeps every fourth test, from the
second: the order of collection is the same in every job and in every pytest-xdist worker.
"""

import json
import os

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    folder = os.environ.get("SLIPWAY_RUNNING")
    if folder:
        path = os.path.join(folder, f"{os.getpid()}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"test": item.nodeid, "pid": os.getpid()}, file)
    yield
    if folder:
        os.unlink(path)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    shard = os.environ.get("SLIPWAY_SHARD")
    if not shard:
        return
    with open(os.environ["SLIPWAY_CHOSEN"], "w", encoding="utf-8") as file:
        file.write(str(len(items)))
    part, parts = (int(number) for number in shard.split("/"))
    kept = items[part - 1 :: parts]
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept
