//! Topics: created and deleted through Kafka's admin interface, and where their partitions begin and end.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use meunier_segment::offset_range::{Offset, OffsetRange, PartitionId};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::broker::Broker;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Creates a topic; on the embedded broker it is there already.
pub(crate) fn create(broker: &Broker, topic: &str, partitions: i32) -> Result<()> {
    if broker.is_embedded() {
        return Ok(());
    }
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let answers = wait_for(admin(broker)?.create_topics([&new], &options));
    match answers.context("create a topic")?.as_slice() {
        [Ok(_)] => Ok(()),
        [Err((name, code))] => bail!("create topic `{name}`: {code}"),
        other => bail!("one topic asked for, {} answers", other.len()),
    }
}

/// Deletes a topic.
pub(crate) fn delete(broker: &Broker, topic: &str) -> Result<()> {
    if !broker.is_embedded() {
        wait_for(admin(broker)?.delete_topics(&[topic], &AdminOptions::new())).context("delete a topic")?;
    }
    Ok(())
}

/// Returns the offsets that each partition of a topic holds now.
pub(crate) fn ranges(broker: &Broker, topic: &str) -> Result<Vec<(PartitionId, OffsetRange)>> {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", broker.address()).create()?;
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).context("ask for the topic's partitions")?;
    let found = metadata.topics().first().filter(|found| found.error().is_none());
    let mut ranges = Vec::new();
    for partition in found.with_context(|| format!("there is no topic `{topic}`"))?.partitions() {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), TIMEOUT)?;
        ranges.push((PartitionId(partition.id()), OffsetRange::new(Offset(low), Offset(high))));
    }
    ranges.sort_by_key(|(partition, _)| *partition);
    Ok(ranges)
}

fn admin(broker: &Broker) -> Result<AdminClient<DefaultClientContext>> {
    Ok(ClientConfig::new().set("bootstrap.servers", broker.address()).create()?)
}

/// Runs a future to its end on this thread.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut task = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut task) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
