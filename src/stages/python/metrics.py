"""Asks metrics servers, for load.py. The token in /run/secrets/metrics, if it is there, goes with each query.

Standard library only.
"""

import urllib.error
import urllib.request
from pathlib import Path

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
    if TOKEN.exists():
        headers["Authorization"] = f"Bearer {TOKEN.read_text(encoding='utf-8').strip()}"
    sample = {"query": one["query"], "track": one["track"], "status": 0, "body": "", "error": ""}
    try:
        request = urllib.request.Request(one["url"], headers=headers)
        with METRICS.open(request, timeout=ANSWER_SECONDS) as answer:
            sample["status"] = answer.status
            sample["body"] = answer.read(LONGEST_ANSWER).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        sample["status"] = error.code
        sample["body"] = error.read(2000).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        sample["error"] = str(getattr(error, "reason", error)) or type(error).__name__
    return sample
