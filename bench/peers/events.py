"""The events stream: what meunier's own benchmark stores, as NDJSON for Kafka and as Parquet for the peers.

A stream is a pure function of a seed and a row number. Rows are drawn in blocks, each from a counter-based generator keyed by
(seed, block number), so N rows are always a prefix of more than N rows, and both formats hold the same values.

The fifteen fields, about 300 bytes of JSON:

    event_id    unique 52-bit number, scattered: exact as a JSON number
    ts          epoch milliseconds, 250 events a second; exponentially late, 250 ms in the mean and 5 s at most
    tenant_id   10,000 values, zipf 1.0: the largest tenant has about 7 % of the rows
    user_id     2,000,000 values, zipf 0.5
    session_id  16 hex digits, one for each user and half hour: nearly unique
    event_type  16 values     country  64 values      city  2,000 values, each in one country
    device      5 values      browser  12 values      url   50,000 values in 20 categories, zipf 0.8
    status      8 values, 92 % are 200
    latency_ms  log-normal with two decimals, six times as long where status is 500 or more
    revenue     null but for purchases, which are 2 % of the rows
    bytes       log-normal
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SEED = 20260101
BLOCK_ROWS = 125_000
"""Rows drawn together; also the rows of a Parquet row group, close to the 122,880 and 131,072 of the peers' own."""
FILE_ROWS = 1_000_000
"""Rows a file: those of a segment."""
EVENTS_PER_SECOND = 250
START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""
SESSION_MS = 1_800_000
LATE_MEAN_MS, LATE_MAX_MS = 250.0, 5000.0

TENANTS, USERS, CITIES, URLS = 10_000, 2_000_000, 2_000, 50_000
FIRST_USER = 1_000_000

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

EVENT_TYPES = {
    "page_view": 300, "click": 180, "impression": 160, "scroll": 90, "search": 60, "api_call": 50, "add_to_cart": 40,
    "video_play": 30, "login": 25, "purchase": 20, "logout": 12, "share": 10, "error": 10, "signup": 6, "refund": 4, "survey": 3,
}
DEVICES = {"mobile": 580, "desktop": 310, "tablet": 60, "bot": 30, "tv": 20}
BROWSERS = {
    "chrome": 520, "safari": 200, "edge": 80, "firefox": 60, "samsung": 40, "webview": 30, "opera": 20, "uc": 15, "brave": 10,
    "curl": 10, "other": 10, "vivaldi": 5,
}
STATUSES = {200: 920, 304: 30, 404: 20, 301: 10, 500: 8, 403: 5, 503: 4, 429: 3}
COUNTRIES = (
    "US IN BR GB DE FR JP CA MX ID IT ES NL AU PL TR KR AR SE CO VN PH TH ZA EG NG PK BD RU UA RO PT "
    "BE CH AT CZ GR HU DK FI NO IE IL SA AE SG MY HK TW NZ CL PE EC VE MA DZ KE GH ET TZ LK NP KZ UZ"
).split()
CATEGORIES = (
    "books electronics garden toys fashion sports music grocery auto health office pets travel games baby art tools video home beauty"
).split()
PLANS = {"free": 60, "starter": 25, "growth": 12, "enterprise": 3}
REGIONS = "us-east us-west eu-west eu-north ap-south ap-east sa-east af-south".split()

SCHEMA = pa.schema([
    ("event_id", pa.int64()), ("ts", pa.int64()), ("tenant_id", pa.int32()), ("user_id", pa.int64()), ("session_id", pa.string()),
    ("event_type", pa.string()), ("country", pa.string()), ("city", pa.string()), ("device", pa.string()), ("browser", pa.string()),
    ("url", pa.string()), ("status", pa.int32()), ("latency_ms", pa.float64()), ("revenue", pa.float64()), ("bytes", pa.int64()),
])


# --- drawing values -------------------------------------------------------------------------------------------------


def scramble(values: Ints) -> Ints:
    """Returns the values mixed by splitmix64's last step, a bijection on 64 bits."""
    mixed = values.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def shares(values: Ints) -> Floats:
    """Returns numbers in [0, 1) that depend on the values alone."""
    return (scramble(values) >> np.uint64(11)).astype(np.float64) / 2.0**53


def unique_ids(rows: Ints) -> Ints:
    """Returns one 52-bit id a row: two rounds of an odd multiplication and a shift, each a bijection on 52 bits."""
    mask = np.uint64((1 << 52) - 1)
    ids = (rows.astype(np.uint64) + np.uint64(SEED)) & mask
    for odd in (0x5851F42D4C957, 0x14057B7EF767D, 0x2545F4914F6CD):
        ids = (ids * np.uint64(odd)) & mask
        ids ^= ids >> np.uint64(26)
    return ids.astype(np.int64)


def weighted(random: np.random.Generator, weights: dict[Any, int], count: int) -> Ints:
    """Returns positions in `weights`, each as often as its weight says."""
    bounds = np.cumsum(np.array(list(weights.values()), dtype=np.float64))
    return np.searchsorted(bounds / bounds[-1], random.random(count), side="right").clip(0, len(weights) - 1).astype(np.int32)


def zipf(random: np.random.Generator, values: int, exponent: float, count: int) -> Ints:
    """Returns ranks in [0, values), rank r about as often as (r + 1) ** -exponent; by inversion of the continuous law."""
    uniform = random.random(count)
    if exponent == 1.0:
        ranks = np.exp(uniform * np.log(values + 1.0)) - 1.0
    else:
        ranks = values * uniform ** (1.0 / (1.0 - exponent))
    return np.minimum(ranks.astype(np.int64), values - 1)


def spread(ranks: Ints, values: int, step: int) -> Ints:
    """Returns the ranks as values whose order is not their popularity; `step` shares no factor with `values`."""
    return (ranks * step + 11) % values


# --- columns --------------------------------------------------------------------------------------------------------

CITY_COUNTRY: Ints = np.minimum((len(COUNTRIES) * shares(np.arange(CITIES)) ** 1.7).astype(np.int32), len(COUNTRIES) - 1)
CITY_NAMES = [f"{COUNTRIES[country].lower()}-city-{city:04d}" for city, country in enumerate(CITY_COUNTRY)]
URL_NAMES = [
    f"/catalog/{CATEGORIES[int(mixed % np.uint64(len(CATEGORIES)))]}/item-{url:05d}"
    for url, mixed in enumerate(scramble(np.arange(URLS) + 7_000_000))
]
HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def texts(positions: Ints, values: list[str]) -> pa.Array:
    """Returns the values at these positions."""
    return pa.DictionaryArray.from_arrays(pa.array(positions.astype(np.int32)), pa.array(values)).cast(pa.string())


def hex_texts(numbers: Ints) -> pa.Array:
    """Returns each number as 16 hex digits."""
    octets = numbers.astype(">u8").view(np.uint8).reshape(len(numbers), 8)
    digits = np.empty((len(numbers), 16), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = HEX_DIGITS[octets >> 4], HEX_DIGITS[octets & 15]
    ends = np.arange(0, 16 * len(numbers) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(ends), pa.py_buffer(digits))


def block(number: int) -> pa.RecordBatch:
    """Returns rows [number * BLOCK_ROWS, (number + 1) * BLOCK_ROWS) of the stream."""
    random = np.random.Generator(np.random.Philox(key=[SEED, number]))
    count = BLOCK_ROWS
    rows = np.arange(number * count, (number + 1) * count, dtype=np.int64)
    late = np.minimum(random.exponential(LATE_MEAN_MS, count), LATE_MAX_MS)
    ts = (START_MS + rows * (1000.0 / EVENTS_PER_SECOND) - late).astype(np.int64)
    tenant = spread(zipf(random, TENANTS, 1.0, count), TENANTS, 7919) + 1
    user = spread(zipf(random, USERS, 0.5, count), USERS, 1_299_709) + FIRST_USER
    session = scramble(user * 4096 + (ts - START_MS) // SESSION_MS)
    event_type = weighted(random, EVENT_TYPES, count)
    city = spread(zipf(random, CITIES, 0.6, count), CITIES, 1009)
    url = spread(zipf(random, URLS, 0.8, count), URLS, 7907)
    status = np.array(list(STATUSES), np.int32)[weighted(random, STATUSES, count)]
    latency = np.round(np.exp(random.normal(3.6, 0.9, count)) * np.where(status >= 500, 6.0, 1.0), 2)
    revenue = np.round(np.exp(random.normal(3.2, 1.0, count)), 2)
    is_purchase = event_type == list(EVENT_TYPES).index("purchase")
    columns = [
        pa.array(unique_ids(rows)),
        pa.array(ts),
        pa.array(tenant.astype(np.int32)),
        pa.array(user),
        hex_texts(session),
        texts(event_type, list(EVENT_TYPES)),
        texts(CITY_COUNTRY[city], COUNTRIES),
        texts(city, CITY_NAMES),
        texts(weighted(random, DEVICES, count), list(DEVICES)),
        texts(weighted(random, BROWSERS, count), list(BROWSERS)),
        texts(url, URL_NAMES),
        pa.array(status),
        pa.array(latency),
        pa.array(revenue, mask=~is_purchase),
        pa.array(np.exp(random.normal(8.2, 1.3, count)).astype(np.int64) + 64),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def blocks(rows: int) -> Iterator[pa.RecordBatch]:
    """Yields the first `rows` rows of the stream, block by block."""
    for number in range((rows + BLOCK_ROWS - 1) // BLOCK_ROWS):
        yield block(number).slice(0, min(BLOCK_ROWS, rows - number * BLOCK_ROWS))


def tenants() -> pa.Table:
    """Returns the dimension table: one row a tenant."""
    ids = np.arange(1, TENANTS + 1)
    plan_bounds = np.cumsum(list(PLANS.values())) / sum(PLANS.values())
    plans = np.array(list(PLANS))[np.searchsorted(plan_bounds, shares(ids + 99), side="right")]
    regions = np.array(REGIONS)[(scramble(ids + 77_000) % np.uint64(len(REGIONS))).astype(int)]
    industries = np.array(CATEGORIES)[(scramble(ids + 55_000) % np.uint64(len(CATEGORIES))).astype(int)]
    return pa.table({
        "tenant_id": pa.array(ids.astype(np.int32)),
        "tenant_name": [f"tenant-{tenant:05d}" for tenant in ids],
        "plan": plans.tolist(),
        "region": regions.tolist(),
        "industry": industries.tolist(),
    })


# --- files ----------------------------------------------------------------------------------------------------------


def ndjson(batch: pa.RecordBatch) -> memoryview:
    """Returns the rows as JSON, one a line, every field in schema order and nulls written as null."""
    parts: list[Any] = []
    for position, field in enumerate(batch.schema):
        quote = '"' if pa.types.is_string(field.type) else ""
        before = f'{"," if position else "{"}"{field.name}":{quote}'
        parts.append(before if position == 0 else closing + before)
        parts.append(batch.column(position).cast(pa.string()).fill_null("null"))
        closing = quote
    parts.append(closing + "}\n")
    lines = pc.binary_join_element_wise(*(pa.scalar(part) if isinstance(part, str) else part for part in parts), "")
    ends = np.frombuffer(lines.buffers()[1], np.int32, len(lines) + 1, lines.offset * 4)
    return memoryview(lines.buffers()[2])[ends[0] : ends[-1]]


PLACES, EVENTS_A_PLACE = 7, 30
"""Where in the stream the values that queries look for are taken from, and how many events of each place."""


def parameters(rows: int) -> dict[str, list[dict[str, Any]]]:
    """Returns what queries look for: values spread over the stream, so that each is found in it.

    The first few of each list are what single queries are measured with; load is made of all of them, too many to be answered from
    memory of earlier answers alone.
    """
    places = [rows * (2 * number + 1) // (2 * PLACES) for number in range(PLACES)]
    samples = [block(row // BLOCK_ROWS).slice(row % BLOCK_ROWS, EVENTS_A_PLACE).to_pylist() for row in places]
    # One of each place, then the next of each.
    events = [event for turn in zip(*samples) for event in turn]
    length_ms = rows * 1000 // EVENTS_PER_SECOND

    def windows(at_20m_ms: int, first: list[float], count: int) -> list[dict[str, Any]]:
        """Windows that are the same share of the stream at any number of rows, `at_20m_ms` long at 20 million."""
        width = max(at_20m_ms * rows // 20_000_000, 1000)
        starts = first + [number / count * 0.9 for number in range(count - len(first))]
        lows = [START_MS + int(length_ms * start) // 1000 * 1000 for start in starts]
        return [{"lo": low, "hi": low + width} for low in lows]

    return {
        "events": [{"e": event["event_id"]} for event in events],
        "sessions": [{"s": event["session_id"]} for event in events],
        # The most frequent user, and some of any frequency.
        "users": [{"u": FIRST_USER + 11}] + [{"u": event["user_id"]} for event in events[1:]],
        # By rank: 7 % of the rows to 0.1 %, then the hundred largest.
        "tenants": [{"t": spread(rank, TENANTS, 7919) + 1} for rank in [0, 1, 2, 3, 9, 99, *range(4, 9), *range(10, 99)]],
        "countries": [{"c": country} for country in ["DE", "IN", "BR", "US", *COUNTRIES[6:26]]],
        "windows_5_minutes": windows(300_000, [0.13, 0.4, 0.67, 0.94], 60),
        "windows_6_hours": windows(21_600_000, [0.0, 0.22, 0.45, 0.67], 4),
    }


def write(rows: int, folder: Path) -> None:
    """Writes `rows` events in both formats, the tenants, and the queries' parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    table = tenants()
    pq.write_table(table, folder / "tenants.parquet", compression="zstd")
    (folder / "tenants.ndjson").write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in table.to_pylist()))
    (folder / "parameters.json").write_text(json.dumps(parameters(rows)))
    stream = blocks(rows)
    for number in range((rows + FILE_ROWS - 1) // FILE_ROWS):
        with (
            pq.ParquetWriter(folder / f"events-{number:05d}.parquet", SCHEMA, compression="zstd") as parquet,
            open(folder / f"events-{number:05d}.ndjson", "wb") as text,
        ):
            for _ in range(FILE_ROWS // BLOCK_ROWS):
                batch = next(stream, None)
                if batch is None:
                    break
                parquet.write_batch(batch, row_group_size=BLOCK_ROWS)
                text.write(ndjson(batch))
