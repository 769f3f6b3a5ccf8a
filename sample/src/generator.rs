//! Writes events of one stream as JSON, each from nothing but its place in the stream.
//!
//! A generator holds only tables that its constructor filled. Every event draws from a random sequence of its own, started
//! from (seed, stream, partition, sequence number); what belongs to a user, order, host or device draws from one started
//! from that thing's identity, so that it is the same in all of its events.

use crate::Stream;
use crate::app_logs::AppLogs;
use crate::clickstream::Clickstream;
use crate::iot_sensors::IotSensors;
use crate::json::write_object;
use crate::orders::Orders;
use crate::random::Random;
use crate::server_metrics::ServerMetrics;
use crate::trips::Trips;

/// Late events never lag further than this behind the event clock.
pub(crate) const LATENESS_MS_MAX: i64 = 30_000;

/// Makes the events of one stream. Cheap to share: no method changes it.
pub struct Generator {
    stream: Stream,
    seed: u64,
    model: Model,
}

enum Model {
    Clickstream(Box<Clickstream>),
    Orders(Orders),
    Trips(Trips),
    ServerMetrics(ServerMetrics),
    IotSensors(IotSensors),
    AppLogs(AppLogs),
}

/// Where an event stands, and its random sequence.
pub(crate) struct Event {
    pub(crate) partition: i32,
    pub(crate) seq: u64,
    pub(crate) now_ms: i64,
    pub(crate) random: Random,
}

impl Generator {
    /// Returns the generator of `stream`; another `seed` gives other events of the same kind.
    pub fn new(stream: Stream, seed: u64) -> Generator {
        let seed = Random::of([seed, stream as u64]).next();
        let model = match stream {
            Stream::Clickstream => Model::Clickstream(Box::new(Clickstream::new(seed))),
            Stream::Orders => Model::Orders(Orders::new(seed)),
            Stream::Trips => Model::Trips(Trips::new(seed)),
            Stream::ServerMetrics => Model::ServerMetrics(ServerMetrics::new(seed)),
            Stream::IotSensors => Model::IotSensors(IotSensors::new(seed)),
            Stream::AppLogs => Model::AppLogs(AppLogs::new()),
        };
        Generator { stream, seed, model }
    }

    /// Returns the stream whose events it makes.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Replaces `out` by one event as JSON. `seq` is dense from 0 in each partition and goes into the column of that name;
    /// `now_ms` is the event clock in milliseconds since the epoch, which the event's time trails by its lateness.
    pub fn write_event(&self, partition: i32, seq: u64, now_ms: i64, out: &mut Vec<u8>) {
        let random = Random::of([self.seed, u64::from(partition.cast_unsigned()), seq]);
        let mut event = Event { partition, seq, now_ms, random };
        out.clear();
        write_object(out, |object| match &self.model {
            Model::Clickstream(model) => model.write(&mut event, object),
            Model::Orders(model) => model.write(&mut event, object),
            Model::Trips(model) => model.write(&mut event, object),
            Model::ServerMetrics(model) => model.write(&mut event, object),
            Model::IotSensors(model) => model.write(&mut event, object),
            Model::AppLogs(model) => model.write(&mut event, object),
        });
    }

    /// Returns the message key of the event at this place, for streams whose subject stays in one partition: an order, a
    /// host, a device. Other streams are produced without a key.
    pub fn key(&self, partition: i32, seq: u64) -> Option<String> {
        match &self.model {
            Model::Orders(_) => Some(Orders::key(partition, seq)),
            Model::ServerMetrics(_) => Some(ServerMetrics::key(partition, seq)),
            Model::IotSensors(model) => Some(model.key(partition, seq)),
            Model::Clickstream(_) | Model::Trips(_) | Model::AppLogs(_) => None,
        }
    }
}

impl Event {
    /// Returns the event's own time: a little before the clock, and for 1 event in 64 seconds before it.
    #[inline]
    pub(crate) fn time_ms(&mut self) -> i64 {
        let lateness_mean_ms = if self.random.one_in(64) { 4_000 } else { 60 };
        let lateness_ms = i64::from(self.random.exponential(lateness_mean_ms));
        self.now_ms - lateness_ms.min(LATENESS_MS_MAX)
    }
}

#[cfg(test)]
mod tests;
