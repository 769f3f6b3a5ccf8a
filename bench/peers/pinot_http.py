"""Pinot's HTTP interface, which meunier and Pinot both have: queries, tables and their state."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

from .answers import Answer, answer

TIMEOUT_SECONDS = 300
NO_EXCEPTIONS = b'"exceptions":[]'
QUERY_OPTIONS = f"timeoutMs={TIMEOUT_SECONDS * 1000}"


class Refused(Exception):
    """The server's own words why it did not answer."""


class PinotHttp:
    """One connection that stays open."""

    def __init__(self, address: str) -> None:
        self.address = address
        host, port = address.split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT_SECONDS)

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """Returns the body of an answer."""
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        read = response.read()
        if response.status >= 300:
            raise Refused(f"{method} {path}: status {response.status}: {read.decode(errors='replace')[:500]}")
        return read

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Returns the body of an answer, parsed."""
        return json.loads(self.request(method, path, body))

    def query(self, sql: str) -> bytes:
        """Returns the answer to a statement as it came."""
        raw = self.request("POST", "/query/sql", {"sql": sql, "queryOptions": QUERY_OPTIONS})
        if NO_EXCEPTIONS not in raw:
            exceptions = json.loads(raw).get("exceptions") or []
            if exceptions:
                raise Refused(exceptions[0].get("message", "no message"))
        return raw


def read_answer(raw: bytes) -> Answer:
    """Returns names and rows of a broker's answer."""
    table = json.loads(raw)["resultTable"]
    return answer(table["dataSchema"]["columnNames"], table["rows"])


def wait_until(what: str, seconds: float, done: Callable[[], bool], every: float = 0.1) -> None:
    """Waits until something holds; connections that are refused meanwhile mean that it does not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except (OSError, http.client.HTTPException, Refused) as error:
            reason = f": {error}"
        else:
            reason = ""
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s until {what}{reason}")
        time.sleep(every)
