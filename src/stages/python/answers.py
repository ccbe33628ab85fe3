"""Reads the answer of a server whole, or says that it broke off.

Imported by metrics.py, smoke.py and model_registry.py. Standard library only.
"""

import http.client
import urllib.error

# All that there is instead of an answer; what is no HTTP is neither an OSError nor a ValueError.
BROKEN = (OSError, ValueError, http.client.HTTPException)


def answer_of(opener, request, seconds):
    """The answer, whatever its status."""
    try:
        return opener.open(request, timeout=seconds)
    except urllib.error.HTTPError as error:
        return error


def whole(answer, most):
    """At most so many bytes. To read with a limit says nothing of an answer that was cut off."""
    data = answer.read(most)
    if len(data) < most and answer.length:
        raise http.client.IncompleteRead(data, answer.length)
    return data


def reason_of(error):
    reason = getattr(error, "reason", error)
    return str(reason) or type(reason).__name__
