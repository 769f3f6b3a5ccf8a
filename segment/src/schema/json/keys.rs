//! Every key that a schema may hold, by place. A key in no list is unknown.

use crate::json_reader::KnownKeys;

const FIELD: &[&str] = &[
    "name",
    "dataType",
    "fieldType",
    "singleValueField",
    "notNull",
    "defaultNullValue",
    "maxLength",
    "maxLengthExceedStrategy",
    "allowTrailingZeros",
    "transformFunction",
    "virtualColumnProvider",
    "description",
    "tags",
    "fieldId",
    "aliases",
    "metadata",
];

const COMPLEX_FIELD: &[&str] = &[
    "name",
    "dataType",
    "fieldType",
    "childFieldSpecs",
    "singleValueField",
    "notNull",
    "defaultNullValue",
    "maxLength",
    "maxLengthExceedStrategy",
    "allowTrailingZeros",
    "transformFunction",
    "virtualColumnProvider",
    "description",
    "tags",
    "fieldId",
    "aliases",
    "metadata",
];

const DATE_TIME_FIELD: &[&str] = &[
    "name",
    "dataType",
    "fieldType",
    "format",
    "granularity",
    "sampleValue",
    "singleValueField",
    "notNull",
    "defaultNullValue",
    "maxLength",
    "maxLengthExceedStrategy",
    "allowTrailingZeros",
    "transformFunction",
    "virtualColumnProvider",
    "description",
    "tags",
    "fieldId",
    "aliases",
    "metadata",
];

/// Keys of an incoming or outgoing granularity of the old time column.
pub(super) const GRANULARITY: &[&str] =
    &["name", "dataType", "timeType", "timeUnitSize", "timeunitSize", "timeFormat"];

pub(super) const KNOWN: &[KnownKeys] = &[
    KnownKeys {
        place: "",
        keys: &[
            "schemaName",
            "enableColumnBasedNullHandling",
            "dimensionFieldSpecs",
            "metricFieldSpecs",
            "dateTimeFieldSpecs",
            "complexFieldSpecs",
            "timeFieldSpec",
            "primaryKeyColumns",
            "description",
            "tags",
        ],
    },
    KnownKeys { place: "/complexFieldSpecs/*", keys: COMPLEX_FIELD },
    KnownKeys { place: "/dimensionFieldSpecs/*", keys: FIELD },
    KnownKeys { place: "/metricFieldSpecs/*", keys: FIELD },
    KnownKeys { place: "/dateTimeFieldSpecs/*", keys: DATE_TIME_FIELD },
    KnownKeys {
        place: "/timeFieldSpec",
        keys: &[
            "name",
            "dataType",
            "fieldType",
            "singleValueField",
            "notNull",
            "defaultNullValue",
            "incomingGranularitySpec",
            "outgoingGranularitySpec",
        ],
    },
    KnownKeys { place: "/timeFieldSpec/incomingGranularitySpec", keys: GRANULARITY },
    KnownKeys { place: "/timeFieldSpec/outgoingGranularitySpec", keys: GRANULARITY },
];
