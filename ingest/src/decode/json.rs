//! Decodes JSON records: one object a record, its top-level keys matched with column names exactly.
//!
//! A row is all or nothing. First each column's value is found on the parsed tape (of a key that occurs twice the last value
//! counts, keys of no column are passed over), then the columns take their values in turn; when one refuses, all are cut back
//! to the rows before and the record is kept as a reject.

use std::sync::Arc;

use meunier_segment::column_buffer::ColumnBuffer;
use meunier_segment::offset_range::Offset;
use meunier_segment::reject::{PAYLOAD_KEPT_MAX, RejectReason, RejectedRecord};
use meunier_segment::row_buffer::RowBuffer;
use meunier_segment::schema::{ColumnName, Schema};
use simd_json::{ErrorType, Node};

use super::column_builder::{ColumnBuilder, Source};
use super::document::{Document, Item};
use super::fault::{Fault, shorten};
use super::record_fields::RecordFields;
use super::tape_reader::{TapeReader, Unreadable};
use super::time_check::TimeCheck;
use super::{DEPTH_CEILING, DecodeLimits, DecodedBatch, RecordRef};

/// Decodes the records of one partition. Its buffers are used over and over.
pub struct JsonDecoder {
    payload_bytes_max: usize,
    reader: TapeReader,
    fields: RecordFields,
    row: RowAppender,
    rows: RowBuffer,
    /// The rows were handed out: the next record starts afresh.
    is_taken: bool,
    rejects: Vec<RejectedRecord>,
    reject_bytes: usize,
    /// Fixed part of a row's size.
    row_bytes: usize,
    timestamp_ms_min: Option<i64>,
    timestamp_ms_max: Option<i64>,
    next_offset: Option<Offset>,
    payload_bytes: u64,
    filtered: u64,
    extra_rows: u64,
}

/// What the table asks of rows beside their schema.
#[derive(Debug, Clone, Default)]
pub struct RowRules {
    /// Whether a value that cannot be stored leaves its column null instead of rejecting the record.
    pub continue_on_error: bool,
    /// The column whose times must lie in Pinot's range.
    pub time_column: Option<ColumnName>,
}

impl JsonDecoder {
    /// Returns a decoder for tables of this schema, with an empty batch.
    pub fn new(schema: Arc<Schema>, limits: DecodeLimits) -> JsonDecoder {
        JsonDecoder::with_rules(schema, limits, &RowRules::default())
    }

    /// Returns a decoder for tables of this schema and with these rules, with an empty batch.
    pub fn with_rules(schema: Arc<Schema>, limits: DecodeLimits, rules: &RowRules) -> JsonDecoder {
        let row_bytes = schema
            .arrow_schema()
            .fields()
            .iter()
            .map(|field| field.data_type().primitive_width().unwrap_or(4))
            .sum();
        let depth_max = limits.depth_max.min(DEPTH_CEILING);
        JsonDecoder {
            payload_bytes_max: limits.payload_bytes_max,
            reader: TapeReader::new(depth_max),
            fields: RecordFields::new(&schema),
            row: RowAppender::new(&schema, depth_max, rules),
            rows: RowBuffer::new(schema),
            is_taken: false,
            rejects: Vec::new(),
            reject_bytes: 0,
            row_bytes,
            timestamp_ms_min: None,
            timestamp_ms_max: None,
            next_offset: None,
            payload_bytes: 0,
            filtered: 0,
            extra_rows: 0,
        }
    }

    /// Decodes one record into the open batch, as a row or as a reject.
    pub fn push(&mut self, record: &RecordRef<'_>) {
        self.begin(record);
        match self.decode(record.payload) {
            Ok(()) => self.rows.offsets.push(record.offset.0),
            Err(fault) => self.reject(record, fault),
        }
    }

    /// Takes the rows that a record was made into, each as a JSON object and whether it lacks something already: all of
    /// them, or the record is rejected.
    pub(crate) fn push_rows<'r>(
        &mut self,
        record: &RecordRef<'_>,
        rows: impl Iterator<Item = (&'r [u8], bool)>,
    ) {
        self.begin(record);
        let rows_before = self.rows.len();
        let incomplete_before = self.row.incomplete;
        for (row, is_incomplete) in rows {
            let incomplete = self.row.incomplete;
            match self.decode(Some(row)) {
                Ok(()) => {
                    self.rows.offsets.push(record.offset.0);
                    self.row.incomplete = self.row.incomplete.max(incomplete + u64::from(is_incomplete));
                }
                Err(fault) => {
                    self.rows.columns.iter_mut().for_each(|column| column.truncate(rows_before));
                    self.rows.offsets.truncate(rows_before);
                    self.row.incomplete = incomplete_before;
                    return self.reject(record, fault);
                }
            }
        }
        self.extra_rows += (self.rows.len() - rows_before).saturating_sub(1) as u64;
    }

    /// Counts a record that the table's filter leaves out.
    pub(crate) fn push_filtered(&mut self, record: &RecordRef<'_>) {
        self.begin(record);
        self.filtered += 1;
    }

    /// Takes a record that cannot become a row.
    pub(crate) fn push_rejected(&mut self, record: &RecordRef<'_>, fault: Fault) {
        self.begin(record);
        self.reject(record, fault);
    }

    #[inline]
    fn begin(&mut self, record: &RecordRef<'_>) {
        if self.is_taken {
            self.rows.clear();
            self.is_taken = false;
        }
        self.next_offset = Some(Offset(record.offset.0.saturating_add(1)));
        if let Some(timestamp) = record.timestamp_ms {
            self.timestamp_ms_min =
                Some(self.timestamp_ms_min.map_or(timestamp, |least| least.min(timestamp)));
            self.timestamp_ms_max = Some(self.timestamp_ms_max.map_or(timestamp, |most| most.max(timestamp)));
        }
        self.payload_bytes += record.payload.map_or(0, |payload| payload.len() as u64);
    }

    /// Returns the number of rows in the open batch.
    pub fn row_count(&self) -> usize {
        if self.is_taken { 0 } else { self.rows.len() }
    }

    /// Returns roughly how much memory the open batch takes, rejects included.
    pub fn bytes(&self) -> usize {
        let payload_bytes = usize::try_from(self.payload_bytes).unwrap_or(usize::MAX);
        payload_bytes.saturating_add(self.row_count() * self.row_bytes).saturating_add(self.reject_bytes)
    }

    /// Takes the rows and rejects so far, in offset order.
    pub fn take(&mut self) -> DecodedBatch<'_> {
        if self.is_taken {
            self.rows.clear();
        }
        self.is_taken = true;
        self.reject_bytes = 0;
        DecodedBatch {
            rows: &self.rows,
            timestamp_ms_min: self.timestamp_ms_min.take(),
            timestamp_ms_max: self.timestamp_ms_max.take(),
            rejects: std::mem::take(&mut self.rejects),
            next_offset: self.next_offset.take(),
            payload_bytes: std::mem::take(&mut self.payload_bytes),
            filtered: std::mem::take(&mut self.filtered),
            extra_rows: std::mem::take(&mut self.extra_rows),
            incomplete: std::mem::take(&mut self.row.incomplete),
        }
    }

    fn decode(&mut self, payload: Option<&[u8]>) -> Result<(), Fault> {
        let Some(payload) = payload else {
            return Err(Fault::new(RejectReason::NoPayload, "the record has no payload"));
        };
        if payload.len() > self.payload_bytes_max {
            let detail = format!("{} bytes, of at most {}", payload.len(), self.payload_bytes_max);
            return Err(Fault::new(RejectReason::TooLarge, detail));
        }
        let (row, fields, rows) = (&mut self.row, &mut self.fields, &mut self.rows);
        let plain = self
            .reader
            .read_plain_record(payload, fields, |document, fields| row.append(rows, fields, document));
        if let Some(appended) = plain {
            return appended;
        }
        let read = self.reader.read(payload, |document| {
            let Some(Node::Object { len, .. }) = document.nodes().first() else {
                return Err(not_an_object(document));
            };
            fields.take_all(*len, document.nodes());
            row.append(rows, fields, document)
        });
        match read {
            Ok(appended) => appended,
            Err(unreadable) => Err(unreadable_payload(payload, &unreadable)),
        }
    }

    #[cold]
    fn reject(&mut self, record: &RecordRef<'_>, fault: Fault) {
        let kept = |bytes: &[u8]| bytes[..bytes.len().min(PAYLOAD_KEPT_MAX)].to_vec();
        let rejected = RejectedRecord {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            reason: fault.reason,
            column: fault.column,
            detail: fault.detail,
            key: record.key.map(kept),
            headers: record.headers.iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect(),
            payload: record.payload.map(kept),
            payload_bytes: record.payload.map_or(0, |payload| payload.len() as u64),
        };
        self.reject_bytes += rejected.memory_bytes();
        self.rejects.push(rejected);
    }
}

#[cold]
fn unreadable_payload(payload: &[u8], unreadable: &Unreadable) -> Fault {
    let error = match unreadable {
        Unreadable::TooDeep => return Fault::new(RejectReason::TooDeep, "arrays and objects nest too deep"),
        Unreadable::Malformed(error) => error,
    };
    // Where the parser tells no place, it says 0.
    let fault = match error.error() {
        _ if payload.is_empty() => "it is empty".to_string(),
        ErrorType::Eof => "it is blank".to_string(),
        ErrorType::Syntax | ErrorType::UnterminatedString => "it ends too early".to_string(),
        ErrorType::InvalidUtf8 => "it is not UTF-8".to_string(),
        ErrorType::InvalidEscape => "a string has an unknown escape".to_string(),
        ErrorType::InvalidUnicodeEscape | ErrorType::InvalidUnicodeCodepoint => {
            "a string has a `\\u` escape that is no character".to_string()
        }
        ErrorType::InvalidNumber => format!("there is no such number as at byte {}", error.index()),
        _ => format!("unexpected text at or behind byte {}", error.index()),
    };
    Fault::new(RejectReason::MalformedJson, format!("the payload is not one JSON value: {fault}"))
}

/// What it takes to append one row to all columns.
struct RowAppender {
    columns: Vec<ColumnBuilder>,
    embedded: TapeReader,
    continue_on_error: bool,
    time_check: Option<TimeCheck>,
    incomplete: u64,
}

impl RowAppender {
    fn new(schema: &Schema, depth_max: usize, rules: &RowRules) -> RowAppender {
        RowAppender {
            columns: schema.fields().iter().map(ColumnBuilder::new).collect(),
            embedded: TapeReader::new(depth_max),
            continue_on_error: rules.continue_on_error,
            time_check: rules.time_column.as_deref().and_then(|name| TimeCheck::of(schema, name)),
            incomplete: 0,
        }
    }

    /// Appends a record's values to all columns, or nothing.
    #[inline]
    fn append(
        &mut self,
        rows: &mut RowBuffer,
        fields: &RecordFields,
        document: &mut Document<'_>,
    ) -> Result<(), Fault> {
        let appended = self.append_values(rows, fields, document);
        if appended.is_err() {
            let row = rows.len();
            rows.columns.iter_mut().for_each(|column| column.truncate(row));
        }
        appended
    }

    #[inline]
    fn append_values(
        &mut self,
        rows: &mut RowBuffer,
        fields: &RecordFields,
        document: &mut Document<'_>,
    ) -> Result<(), Fault> {
        let mut source = Source { document, embedded: &mut self.embedded };
        let row = rows.len();
        let mut is_incomplete = false;
        for ((column, at), to) in self.columns.iter_mut().zip(fields.values()).zip(&mut rows.columns) {
            let Some(at) = at else {
                to.push_null(row);
                continue;
            };
            if let Err(fault) = column.append(to, row, at, &mut source) {
                // A length that the schema wants refused is, whatever the table makes of other faults.
                if !self.continue_on_error || fault.reason == RejectReason::TooLong {
                    return Err(fault.of_column(column.name()));
                }
                leave_null(to, row);
                is_incomplete = true;
            }
        }
        if let Some(check) = &self.time_check
            && let Err(fault) = check.last_of(&rows.columns)
        {
            if !self.continue_on_error {
                return Err(fault);
            }
            leave_null(&mut rows.columns[check.column()], row);
            is_incomplete = true;
        }
        self.incomplete += u64::from(is_incomplete);
        Ok(())
    }
}

#[cold]
fn leave_null(column: &mut ColumnBuffer, row: usize) {
    column.truncate(row);
    column.push_null(row);
}

#[cold]
fn not_an_object(document: &mut Document<'_>) -> Fault {
    let kind = match document.item(0) {
        Item::Null => "null".to_string(),
        Item::Array { length } => format!("an array of {length}"),
        Item::Object { .. } => "an object".to_string(),
        Item::Scalar(scalar) => {
            let mut text = String::new();
            super::coerce::write_text(scalar, &mut text);
            format!("`{}`", shorten(&text))
        }
    };
    Fault::new(RejectReason::NotAnObject, format!("the payload is {kind}, not an object"))
}
