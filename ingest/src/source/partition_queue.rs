//! One partition's queue of fetched records, read in batches.
//!
//! rdkafka wraps only calls that return one message at a time, which cost up to twice as much a record as
//! `rd_kafka_consume_batch_queue`. This file is the one place that calls librdkafka itself.
#![expect(unsafe_code, reason = "the batch calls of librdkafka have no safe wrapper")]

use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use meunier_segment::offset_range::{Offset, PartitionId};
use rdkafka::bindings as ffi;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::{RDKafka, RDKafkaMessage, RDKafkaQueue, RDKafkaRespErr, RDKafkaTopic};

use super::client::KafkaClient;
use crate::decode::RecordRef;
use crate::error::SourceError;

/// Called, from a thread of librdkafka, when the queue is not empty any more.
type Wake = Box<dyn Fn() + Send + Sync>;

/// The queue of one partition, being filled by the client from a given offset on.
pub(crate) struct PartitionQueue {
    // Fields drop in order after `drop` has stopped consumption; the client goes last.
    topic: NonNull<RDKafkaTopic>,
    queue: NonNull<RDKafkaQueue>,
    partition: PartitionId,
    messages: Vec<*mut RDKafkaMessage>,
    /// Owned by librdkafka's callback until the callback is taken back in `drop`.
    wake: NonNull<Wake>,
    _client: Arc<KafkaClient>,
}

/// What a partition's queue holds.
pub(crate) enum FetchEvent<'a> {
    /// A record.
    Record(RecordRef<'a>),
    /// The partition ends here for now; all before this offset was delivered or is a gap.
    End(Offset),
    /// Consumption met an error, which librdkafka retries unless it is [`RDKafkaErrorCode::AutoOffsetReset`].
    Error(RDKafkaErrorCode, String),
}

// SAFETY: librdkafka's topics and queues may be used from any thread; `messages` is empty between calls.
unsafe impl Send for PartitionQueue {}

impl PartitionQueue {
    /// Starts to fetch a partition from `start` on.
    pub(crate) fn start(
        client: Arc<KafkaClient>,
        topic: &str,
        partition: PartitionId,
        start: Offset,
        wake: Wake,
    ) -> Result<PartitionQueue, SourceError> {
        let failed = |action: &str, code| SourceError::Client {
            action: format!("{action} partition {partition} of topic `{topic}`"),
            source: KafkaError::Global(code),
        };
        let name = CString::new(topic).map_err(|_| failed("name", RDKafkaErrorCode::InvalidTopic))?;
        let native: *mut RDKafka = client.native_ptr();
        // SAFETY: `native` is alive as long as `client`; the name is copied; a null config takes the client's.
        let handle = unsafe { ffi::rd_kafka_topic_new(native, name.as_ptr(), ptr::null_mut()) };
        let handle = NonNull::new(handle).ok_or_else(|| failed("open", last_error()))?;
        // SAFETY: `native` is alive; the queue is destroyed in `drop`.
        let queue = unsafe { ffi::rd_kafka_queue_new(native) };
        let queue = NonNull::new(queue).expect("librdkafka aborts when it has no memory");
        let wake = NonNull::from(Box::leak(Box::new(wake)));
        // SAFETY: `wake` stays allocated until `drop` has disabled the callback.
        unsafe {
            ffi::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(on_queue_event), wake.as_ptr().cast())
        };
        // Built before the start, so that a failed start cleans up through `drop`.
        let started =
            PartitionQueue { topic: handle, queue, partition, messages: Vec::new(), wake, _client: client };
        // SAFETY: topic and queue are alive; the partition is consumed by this object only.
        let answer = unsafe {
            ffi::rd_kafka_consume_start_queue(handle.as_ptr(), partition.0, start.0, queue.as_ptr())
        };
        match answer {
            0 => Ok(started),
            _ => Err(failed("start", last_error())),
        }
    }

    /// Takes up to `records_max` records and events that are here now, without waiting.
    pub(crate) fn take(&mut self, records_max: usize) -> Fetch<'_> {
        debug_assert!(self.messages.is_empty());
        self.messages.resize(records_max, ptr::null_mut());
        // SAFETY: `messages` has room for `records_max` pointers; the queue is alive.
        let count = unsafe {
            ffi::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, self.messages.as_mut_ptr(), records_max)
        };
        self.messages.truncate(usize::try_from(count).unwrap_or(0));
        Fetch { messages: &mut self.messages }
    }
}

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        // SAFETY: all handles are alive. The callback is disabled before its data is freed; disabling takes the queue's
        // lock, under which librdkafka also calls back, so no call is under way afterwards.
        unsafe {
            ffi::rd_kafka_consume_stop(self.topic.as_ptr(), self.partition.0);
            ffi::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            ffi::rd_kafka_queue_destroy(self.queue.as_ptr());
            ffi::rd_kafka_topic_destroy(self.topic.as_ptr());
            drop(Box::from_raw(self.wake.as_ptr()));
        }
    }
}

/// Records and events taken from a queue; they last as long as this.
pub(crate) struct Fetch<'q> {
    /// Ours until they are destroyed in `drop`; nobody changes them.
    messages: &'q mut Vec<*mut RDKafkaMessage>,
}

impl Fetch<'_> {
    /// Returns how many records and events there are.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the headers of the record of a number, in order: names and values.
    pub(crate) fn headers(&self, number: usize) -> Vec<(String, Vec<u8>)> {
        let message = self.messages[number];
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive until `drop`, which also frees its headers; `headers` is only written.
        if unsafe { ffi::rd_kafka_message_headers(message, &raw mut headers) }
            != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        {
            return Vec::new();
        }
        let mut found = Vec::new();
        loop {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            // SAFETY: `headers` belongs to the message; the other pointers are only written.
            let answer = unsafe {
                ffi::rd_kafka_header_get_all(
                    headers,
                    found.len(),
                    &raw mut name,
                    &raw mut value,
                    &raw mut size,
                )
            };
            if answer != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return found;
            }
            // SAFETY: librdkafka's names end with a zero, and live as long as the message.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
            found.push((name, bytes(value, size).unwrap_or_default().to_vec()));
        }
    }

    /// Returns them in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = FetchEvent<'_>> {
        self.messages.iter().map(|message| {
            // SAFETY: librdkafka set every pointer that it counted, to a message that is alive until `drop`.
            event(unsafe { &**message })
        })
    }
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        for message in self.messages.drain(..) {
            // SAFETY: the message came from librdkafka and is destroyed once.
            unsafe { ffi::rd_kafka_message_destroy(message) }
        }
    }
}

fn event(message: &RDKafkaMessage) -> FetchEvent<'_> {
    match message.err {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => FetchEvent::Record(RecordRef {
            offset: Offset(message.offset),
            timestamp_ms: timestamp_ms(message),
            key: bytes(message.key, message.key_len),
            payload: bytes(message.payload, message.len),
            headers: &[],
        }),
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__PARTITION_EOF => FetchEvent::End(Offset(message.offset)),
        code => {
            // SAFETY: the text is static or lives as long as the message.
            let text = unsafe { CStr::from_ptr(ffi::rd_kafka_message_errstr(message)) };
            FetchEvent::Error(code.into(), text.to_string_lossy().into_owned())
        }
    }
}

fn timestamp_ms(message: &RDKafkaMessage) -> Option<i64> {
    let mut kind = ffi::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message is alive, `kind` is only written.
    let timestamp = unsafe { ffi::rd_kafka_message_timestamp(message, &raw mut kind) };
    (timestamp >= 0).then_some(timestamp)
}

/// Returns the bytes at `start`; `None` for a null pointer, which is how Kafka's null is told from an empty value.
fn bytes<'a>(start: *const c_void, len: usize) -> Option<&'a [u8]> {
    // SAFETY: librdkafka hands out a valid pointer and length, alive as long as the message, whose borrow the caller's
    // lifetime is tied to.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), len) })
}

unsafe extern "C" fn on_queue_event(_client: *mut RDKafka, opaque: *mut c_void) {
    // SAFETY: `opaque` is the `Wake` given in `start`, alive until the callback is disabled.
    let wake = unsafe { &*opaque.cast::<Wake>() };
    wake();
}

fn last_error() -> RDKafkaErrorCode {
    // SAFETY: reads a thread-local number.
    unsafe { ffi::rd_kafka_last_error() }.into()
}
