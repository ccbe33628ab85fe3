"""Asks metrics servers, for load.py. The token in /run/secrets/metrics goes with those it is for.

Standard library only.
"""

import urllib.request
from pathlib import Path

from answers import BROKEN, answer_of, reason_of, whole

TOKEN = Path("/run/secrets/metrics")
ANSWER_SECONDS = 10
LONGEST_ANSWER = 1 << 20


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token would go along, to whoever is named there."""

    def redirect_request(self, *_):
        return None


METRICS = urllib.request.build_opener(_Straight)


def ask(one):
    """One answer of a metrics server, or why there is none."""
    headers = {"Accept": "application/json"}
    if one["token"]:
        headers["Authorization"] = f"Bearer {TOKEN.read_text(encoding='utf-8').strip()}"
    sample = {"query": one["query"], "track": one["track"], "status": 0, "body": "", "error": ""}
    try:
        request = urllib.request.Request(one["url"], headers=headers)
        with answer_of(METRICS, request, ANSWER_SECONDS) as answer:
            body = whole(answer, LONGEST_ANSWER if answer.code < 300 else 2000)
            sample["status"] = answer.code
            sample["body"] = body.decode("utf-8", "replace")
    except BROKEN as error:
        sample["error"] = reason_of(error)
    return sample


def unanswered(one):
    common = {"query": one["query"], "track": one["track"]}
    return {**common, "status": 0, "body": "", "error": "the query was not answered"}
