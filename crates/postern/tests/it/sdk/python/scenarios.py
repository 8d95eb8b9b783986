"""Runs scenarios with an official SDK and prints what it saw as one JSON object.

Every driver takes the same two arguments, a base URL and a key, and nothing else: whatever stands
behind the URL, the SDK must not notice. A scenario's outcome is what it returns, or, when the SDK
raised, the exception as an application would meet it.
"""

import json
import sys
import time
import traceback


def exception(error):
    """The exception as an application sees it: its types, its status, its words."""
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    return {
        "raised": type(error).__name__,
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "status": getattr(error, "status_code", None) or getattr(error, "code", None),
        "message": str(error),
        "request_id": headers.get("postern-request-id"),
        "own_request_id": getattr(error, "request_id", None),
        "refusal": headers.get("postern-refusal"),
    }


def run(scenarios, only, when_named=()):
    """Runs the named scenarios, in order; without names, all but those of `when_named`."""
    seen = {}
    chosen = [s for s in [*scenarios, *when_named] if s.__name__ in only] if only else scenarios
    for scenario in chosen:
        start = time.monotonic()
        try:
            outcome = {"returned": scenario()}
        except Exception as error:  # what the SDK raises is what the scenario is about
            outcome = exception(error)
            traceback.print_exc()
        outcome["seconds"] = time.monotonic() - start
        seen[scenario.__name__] = outcome
    json.dump(seen, sys.stdout)


def arguments():
    """The base URL, the key, and the names of the scenarios to run."""
    base, key, *only = sys.argv[1:]
    return base, key, only
