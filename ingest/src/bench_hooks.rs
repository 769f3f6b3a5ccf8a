//! Consumption without anything behind it, for the benchmark: the limit that ingestion is measured against.
//!
//! It goes through the same client, with the same properties, and the same partition queues as a table's ingestion, so
//! that the two rates differ only by what ingestion does with the records. Not part of the crate's interface.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use meunier_catalog::table_config::StreamConfig;
use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};

use crate::config::IngestConfig;
use crate::decode::RecordRef;
use crate::error::SourceError;
use crate::source::{FetchEvent, KafkaClient, PartitionQueue, client_properties};
use crate::worker::Mailbox;

/// A wake-up that was lost costs no more than this.
const WAIT: Duration = Duration::from_millis(50);

struct Reader {
    partition: PartitionId,
    queue: PartitionQueue,
    ready: Arc<AtomicBool>,
    range: OffsetRange,
}

/// Reads all records of `ranges` from the stream's topic and gives each to `visit`. Returns how many there were.
///
/// # Errors
/// When the client cannot be made or a partition cannot be started.
pub fn consume(
    stream: &StreamConfig,
    config: &IngestConfig,
    ranges: &[(PartitionId, OffsetRange)],
    mut visit: impl FnMut(PartitionId, &RecordRef<'_>),
) -> Result<u64, SourceError> {
    let embedded = config.embedded_broker.as_deref() == Some(stream.brokers.as_str());
    let client = Arc::new(KafkaClient::connect(&client_properties(stream, config, embedded))?);
    let mailbox = Arc::new(Mailbox::default());
    let mut readers = Vec::new();
    for &(partition, range) in ranges {
        readers.push(Reader::start(&client, stream, partition, range, &mailbox)?);
    }
    let mut records = 0;
    let mut backlog = false;
    while readers.iter().any(|reader| reader.range.width() > 0) {
        mailbox.receive(if backlog { Duration::ZERO } else { WAIT });
        backlog = false;
        for reader in &mut readers {
            if reader.ready.swap(false, Ordering::AcqRel) {
                let taken = reader.take(config.batch_records_max, &mut records, &mut visit);
                let is_full = taken == config.batch_records_max;
                reader.ready.fetch_or(is_full, Ordering::AcqRel);
                backlog |= is_full;
            }
        }
    }
    Ok(records)
}

impl Reader {
    fn start(
        client: &Arc<KafkaClient>,
        stream: &StreamConfig,
        partition: PartitionId,
        range: OffsetRange,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Reader, SourceError> {
        let ready = Arc::new(AtomicBool::new(true));
        let wake = {
            let (ready, mailbox) = (Arc::clone(&ready), Arc::clone(mailbox));
            Box::new(move || {
                ready.store(true, Ordering::Release);
                mailbox.wake();
            })
        };
        let queue = PartitionQueue::start(Arc::clone(client), &stream.topic, partition, range.start, wake)?;
        Ok(Reader { partition, queue, ready, range })
    }

    fn take(
        &mut self,
        records_max: usize,
        records: &mut u64,
        visit: &mut impl FnMut(PartitionId, &RecordRef<'_>),
    ) -> usize {
        let range = &mut self.range;
        let fetch = self.queue.take(records_max);
        for event in fetch.events() {
            match event {
                FetchEvent::Record(record) if record.offset >= range.start && record.offset < range.end => {
                    visit(self.partition, &record);
                    range.start = Offset(record.offset.0 + 1);
                    *records += 1;
                }
                FetchEvent::End(end) => range.start = end.min(range.end).max(range.start),
                FetchEvent::Record(_) | FetchEvent::Error(..) => {}
            }
        }
        fetch.len()
    }
}
