//! Devices that send several readings at once: a stream of multi-value columns.
//!
//! A device has one to five channels; `channels`, `readings`, `voltages`, `sampled_at` and `switches` of one report have one
//! value for each. Firmwares differ as they do in the field: some write a single value without brackets, an empty list, null,
//! or leave a key out.

use crate::generator::Event;
use crate::json::Object;
use crate::places::Places;
use crate::random::Random;

/// Devices of a partition are drawn by rank: 64 talkative ones alike, 2000 in all.
const DEVICE_BITS: (u32, u32) = (6, 11);
const PREFIX: &str = "sensor";
/// The alarm raised when a reading is above [`HEAT_LIMIT`].
const OVERHEATED: i64 = 17;
/// In 1/100 degrees.
const HEAT_LIMIT: i64 = 4_800;

pub(crate) struct IotSensors {
    seed: u64,
    places: Places,
}

/// What stays the same for a device.
struct Device {
    number: u32,
    model: &'static str,
    site: &'static str,
    channels: u32,
    indoor: bool,
    /// Usual reading in 1/100 degrees.
    level: i32,
    /// One bit for each of [`TAGS`].
    tags: u32,
    random: Random,
}

impl IotSensors {
    pub(crate) fn new(seed: u64) -> IotSensors {
        IotSensors { seed, places: Places::new() }
    }

    /// Returns the device's id, as in the column `device_id`.
    pub(crate) fn key(&self, partition: i32, seq: u64) -> String {
        format!("{PREFIX}-{partition}-{}", self.device(partition, seq).number)
    }

    pub(crate) fn write(&self, event: &mut Event, object: &mut Object<'_>) {
        let mut device = self.device(event.partition, event.seq);
        let time_ms = event.time_ms();
        let random = &mut event.random;

        object.numbered("device_id", PREFIX, [i64::from(event.partition), i64::from(device.number)]);
        object.integer("ts", time_ms);
        object.unsigned("seq", event.seq);
        object.text("model", device.model);
        object.text("site", device.site);
        object.boolean("indoor", device.indoor);
        device.write_firmware(object);
        device.write_tags(object);
        let overheated = device.write_readings(time_ms, random, object);
        write_alarms(overheated, random, object);
        write_state(random, object);
    }

    /// Returns the device that this event comes from, out of a sequence that only picks devices.
    fn device(&self, partition: i32, seq: u64) -> Device {
        let partition = u64::from(partition.cast_unsigned());
        let number = Random::of([self.seed, partition, seq, 1]).skewed(DEVICE_BITS.0, DEVICE_BITS.1);
        let mut random = Random::of([self.seed, partition, u64::from(number)]);
        let indoor = random.one_in(2);
        Device {
            number,
            model: random.pick(&MODELS),
            site: self.places.draw(&mut random).city.name,
            channels: 1 + random.below(5),
            indoor,
            level: if indoor { random.between(1_900, 2_400) } else { random.between(-800, 3_600) },
            tags: random.below(1 << TAGS.len()) & random.below(1 << TAGS.len()),
            random,
        }
    }
}

impl Device {
    /// Writes four bytes as hexadecimal digits; the oldest model cannot tell.
    fn write_firmware(&mut self, object: &mut Object<'_>) {
        if self.random.one_in(15) {
            return object.null("firmware");
        }
        object.text("firmware", self.random.pick(&FIRMWARES));
    }

    /// Writes where it hangs and what else was tagged. A single tag comes without brackets.
    fn write_tags(&self, object: &mut Object<'_>) {
        let place = if self.indoor { "indoor" } else { "outdoor" };
        if self.tags == 0 {
            return object.text("tags", place);
        }
        object.array("tags", |array| {
            array.text(place);
            let tagged = TAGS.iter().enumerate().filter(|(bit, _)| self.tags & (1 << bit) != 0);
            tagged.for_each(|(_, tag)| array.text(tag));
        });
    }

    /// Writes one value a channel into each of five columns; returns whether a reading was too hot.
    fn write_readings(&self, time_ms: i64, random: &mut Random, object: &mut Object<'_>) -> bool {
        let mut hottest = i64::MIN;
        let channels = 0..i64::from(self.channels);
        object.array("channels", |array| channels.clone().for_each(|channel| array.integer(channel)));
        object.array("readings", |array| {
            for _ in channels.clone() {
                let spike = if random.one_in(50) { random.exponential(2_000) } else { 0 };
                let reading = i64::from(self.level + random.between(-150, 150)) + i64::from(spike);
                hottest = hottest.max(reading);
                array.decimal(reading, 2);
            }
        });
        if self.model == "thermo-mini" && random.one_in(3) {
            object.null("voltages");
        } else {
            object.array("voltages", |array| {
                channels.clone().for_each(|_| array.decimal(i64::from(random.between(3_100, 3_400)), 3));
            });
        }
        object.array("sampled_at", |array| {
            channels.clone().for_each(|channel| array.integer(time_ms - channel * 20))
        });
        if self.channels > 1 {
            object.array("switches", |array| channels.clone().for_each(|_| array.boolean(random.one_in(2))));
        }
        hottest > HEAT_LIMIT
    }
}

/// Writes the alarms: most often none, which is an empty list, null or no key, by firmware.
fn write_alarms(overheated: bool, random: &mut Random, object: &mut Object<'_>) {
    let other_alarm = random.one_in(20);
    if !overheated && !other_alarm {
        return match random.below(3) {
            0 => object.array("alarm_codes", |_| ()),
            1 => object.null("alarm_codes"),
            _ => {}
        };
    }
    object.array("alarm_codes", |array| {
        if overheated {
            array.integer(OVERHEATED);
        }
        if other_alarm {
            array.integer(i64::from(random.between(20, 39)));
        }
    });
}

/// Writes battery and radio. Wired devices have no battery and now and then no signal is measured.
fn write_state(random: &mut Random, object: &mut Object<'_>) {
    let wired = random.one_in(6);
    if !wired {
        let used = i64::from(random.exponential(300).min(1_000));
        object.decimal("battery_percent", 1_000 - used, 1);
    }
    match random.below(25) {
        0 => object.null("signal_dbm"),
        _ => object.integer("signal_dbm", i64::from(random.between(-110, -45))),
    }
}

static MODELS: [&str; 5] = ["thermo-mini", "thermo-pro", "air-quality-2", "grain-moisture", "vibration-x"];

static FIRMWARES: [&str; 5] = ["01020003", "01020009", "0200ff00", "DEADBEEF", "7f000001"];

static TAGS: [&str; 8] = ["roof", "cellar", "Mühle", "製粉所", "critical", "leased", "test-bench", "🌡️"];
