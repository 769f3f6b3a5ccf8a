//! Reports of a fleet of hosts: every host of a partition in turn, round after round.
//!
//! Load follows a daily wave with noise on top. For ten minutes at a time a host may be in trouble: then its processor is
//! busy, its answers are slow, its errors many, and it reports itself unhealthy.

use crate::generator::Event;
use crate::json::Object;
use crate::random::Random;

const HOSTS_A_PARTITION: u64 = 48;
const DAY_MS: i64 = 86_400_000;
const TROUBLE_MS: i64 = 600_000;
const GIB: u64 = 1 << 30;
const PREFIX: &str = "host";

pub(crate) struct ServerMetrics {
    seed: u64,
}

/// What stays the same for a host.
struct Host {
    number: u64,
    region: &'static str,
    service: &'static str,
    cores: u32,
    memory_bytes: u64,
    /// Processor use at night, in 1/10 percent.
    cpu_idle: u32,
    random: Random,
}

impl ServerMetrics {
    pub(crate) fn new(seed: u64) -> ServerMetrics {
        ServerMetrics { seed }
    }

    /// Returns the host's name, as in the column `host`.
    pub(crate) fn key(partition: i32, seq: u64) -> String {
        format!("{PREFIX}-{partition}-{}", seq % HOSTS_A_PARTITION)
    }

    pub(crate) fn write(&self, event: &mut Event, object: &mut Object<'_>) {
        let time_ms = event.time_ms();
        let mut host = self.host(event);
        let in_trouble = host.is_in_trouble(time_ms);
        let random = &mut event.random;
        let wave = day_wave(time_ms);
        let load = host.cpu_idle + wave * 4 / 10 + random.exponential(25);
        let cpu = if in_trouble { 930 + random.below(70) } else { load.min(920) };

        object.integer("ts", time_ms.div_euclid(1_000));
        object.unsigned("seq", event.seq);
        object.numbered("host", PREFIX, [i64::from(event.partition), host.number.cast_signed()]);
        object.text("region", host.region);
        object.text("service", host.service);
        host.write_release(object);
        object.unsigned("cores", u64::from(host.cores));
        write_health(in_trouble, random, object);
        object.decimal("cpu_percent", i64::from(cpu), 1);
        object.unsigned("memory_bytes", host.memory_bytes / 1_000 * u64::from(300 + cpu / 2));
        write_disk(&mut host, random, object);
        write_traffic(host.cores * (20 + wave), in_trouble, random, object);
    }

    fn host(&self, event: &Event) -> Host {
        let number = event.seq % HOSTS_A_PARTITION;
        let partition = u64::from(event.partition.cast_unsigned());
        let mut random = Random::of([self.seed, partition, number]);
        let cores = 4 << random.below(5);
        Host {
            number,
            region: random.pick(&REGIONS),
            service: random.pick(&SERVICES),
            cores,
            memory_bytes: u64::from(cores) * 4 * GIB,
            cpu_idle: 30 + random.below(200),
            random,
        }
    }
}

impl Host {
    fn is_in_trouble(&mut self, time_ms: i64) -> bool {
        let stretch = time_ms.div_euclid(TROUBLE_MS).cast_unsigned();
        Random::of([self.random.next(), stretch]).one_in(60)
    }

    /// Writes the release the host runs; hosts that were built by hand have none.
    fn write_release(&mut self, object: &mut Object<'_>) {
        match self.random.below(12) {
            0 => object.null("release"),
            _ => object.text("release", self.random.pick(&RELEASES)),
        }
    }
}

/// Returns how busy the time of day is: 0 at midnight, 1000 at noon, straight lines between.
fn day_wave(time_ms: i64) -> u32 {
    let since_midnight = time_ms.rem_euclid(DAY_MS);
    let from_noon = (since_midnight - DAY_MS / 2).abs();
    u32::try_from(1_000 - from_noon * 1_000 / (DAY_MS / 2)).expect("between 0 and 1000")
}

/// Writes the health. Older agents say so only when something is wrong.
fn write_health(in_trouble: bool, random: &mut Random, object: &mut Object<'_>) {
    if in_trouble || !random.one_in(10) {
        object.boolean("healthy", !in_trouble);
    }
}

fn write_disk(host: &mut Host, random: &mut Random, object: &mut Object<'_>) {
    let permille = 250 + host.random.below(600) + random.below(20);
    object.decimal("disk_percent", i64::from(permille), 1);
}

/// Writes what came in and how it was answered. Without a request there is no latency to report.
fn write_traffic(requests_mean: u32, in_trouble: bool, random: &mut Random, object: &mut Object<'_>) {
    let idle = random.one_in(40);
    let requests = if idle { 0 } else { requests_mean / 2 + random.exponential(requests_mean / 2) };
    let errors = if in_trouble { requests / 7 } else { random.exponential(requests / 2_000) };
    object.unsigned("network_in_bytes", u64::from(requests) * u64::from(700 + random.below(400)));
    object.unsigned("network_out_bytes", u64::from(requests) * u64::from(9_000 + random.below(6_000)));
    object.unsigned("requests", u64::from(requests));
    object.unsigned("errors", u64::from(errors.min(requests)));
    if requests == 0 {
        object.null("p50_ms");
        return;
    }
    let slowness = if in_trouble { 30 } else { 1 };
    let p50 = slowness * (150 + random.exponential(400));
    object.decimal("p50_ms", i64::from(p50), 2);
    object.decimal("p99_ms", i64::from(p50) * 4 + i64::from(slowness * random.exponential(3_000)), 2);
}

static REGIONS: [&str; 6] = ["eu-central", "eu-north", "us-east", "us-west", "ap-southeast", "sa-east"];

static SERVICES: [&str; 10] = [
    "gateway",
    "search",
    "catalogue",
    "cart",
    "checkout",
    "payments",
    "images",
    "mail",
    "ledger",
    "recommender",
];

static RELEASES: [&str; 5] = ["4.12.0", "4.12.1", "4.13.0-rc.1", "4.11.7", "canary+🐤"];
