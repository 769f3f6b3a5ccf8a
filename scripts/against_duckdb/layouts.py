"""The layouts that the same rows are kept in, as schemas and table configs of Pinot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .rows import FACTS, METRICS, TABLES

PARTITIONS = 3


@dataclass(frozen=True)
class Layout:
    """How one table keeps its rows. A table that is sealed early has rows sealed and rows consuming in the end, unless sealed again."""

    name: str
    indexing: dict[str, Any]
    fields: tuple[dict[str, Any], ...] = ()
    seal_early: bool = False
    seal_late: bool = False


EVERY_INDEX: dict[str, Any] = {
    "sortedColumn": ["kind"],
    "invertedIndexColumns": ["grp", "num", "txt", "flag", "ints", "texts", "raw"],
    "rangeIndexColumns": ["edge", "big", "flt", "dbl", "wild", "moment", "made", "id"],
    "bloomFilterColumns": ["id", "uniq", "big", "txt"],
    "noDictionaryColumns": ["dbl", "dec", "amount", "uniq", "made"],
    "jsonIndexColumns": ["doc"],
}
STAR_TREE: dict[str, Any] = {
    "starTreeIndexConfigs": [
        {
            "dimensionsSplitOrder": ["kind", "grp"],
            "functionColumnPairs": ["COUNT__*", "SUM__amount", "MIN__amount", "MAX__amount", "AVG__amount"],
            "maxLeafRecords": 10,
        },
        {"dimensionsSplitOrder": ["grp", "txt", "num"], "functionColumnPairs": ["COUNT__*", "SUM__dbl", "MAX__num"], "maxLeafRecords": 1},
    ]
}
RAW = tuple({"name": name, "encodingType": "RAW", "indexes": {"range": {}}} for name in ("num", "edge", "moment"))

LAYOUTS = (
    Layout("plain", {}),
    Layout("indexed", EVERY_INDEX),
    Layout("sealed", EVERY_INDEX, seal_early=True, seal_late=True),
    Layout("mixed", {"sortedColumn": ["num"], "noDictionaryColumns": ["txt", "big"]}, seal_early=True),
    Layout("rawsealed", {"sortedColumn": ["made"]}, RAW, seal_late=True),
    Layout("startree", STAR_TREE, seal_early=True, seal_late=True),
)


def schema(table: str, name: str) -> dict[str, Any]:
    """Returns the schema of `facts` or `small` under a name."""
    fields: dict[str, list[dict[str, Any]]] = {"dimensionFieldSpecs": [], "metricFieldSpecs": [], "dateTimeFieldSpecs": []}
    for column, (kind, nullable, _) in TABLES[table].items():
        field: dict[str, Any] = {"name": column, "dataType": kind.removesuffix("[]")}
        if kind.endswith("[]"):
            field["singleValueField"] = False
        if not nullable:
            field["notNull"] = True
        if kind == "TIMESTAMP":
            field |= {"format": "1:MILLISECONDS:TIMESTAMP", "granularity": "1:MILLISECONDS"}
            fields["dateTimeFieldSpecs"].append(field)
        else:
            fields["metricFieldSpecs" if column in METRICS and TABLES[table] is FACTS else "dimensionFieldSpecs"].append(field)
    return {"schemaName": name, "enableColumnBasedNullHandling": True, **fields}


def table_config(name: str, layout: Layout, brokers: str) -> dict[str, Any]:
    """Returns the config of a table that consumes the topic of its name from its begin."""
    stream = {
        "streamType": "kafka",
        "stream.kafka.topic.name": name,
        "stream.kafka.broker.list": brokers,
        "stream.kafka.consumer.factory.class.name": "org.apache.pinot.plugin.stream.kafka30.KafkaConsumerFactory",
        "stream.kafka.decoder.class.name": "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder",
        "stream.kafka.consumer.prop.auto.offset.reset": "smallest",
    }
    return {
        "tableName": name,
        "tableType": "REALTIME",
        "segmentsConfig": {"timeColumnName": "made", "replication": "1"},
        "tenants": {},
        "tableIndexConfig": {"nullHandlingEnabled": True, **layout.indexing},
        "fieldConfigList": list(layout.fields),
        "ingestionConfig": {"streamIngestionConfig": {"streamConfigMaps": [stream]}},
        "metadata": {},
    }
