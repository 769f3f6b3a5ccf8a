//! Finished taxi rides, reported when the passenger gets out.
//!
//! Distance decides duration and fare; only cards tip, and most passengers leave no rating. Times are text without a zone
//! (`2026-02-03 04:05:06.789`, UTC), as a JDBC timestamp prints.

use crate::calendar::TimeText;
use crate::generator::Event;
use crate::json::Object;
use crate::people;
use crate::places::{Place, Places};
use crate::random::Random;
use crate::weighted::Weighted;

/// Drivers are drawn by rank: 128 busy ones alike, some 16 thousand in all.
const DRIVER_BITS: (u32, u32) = (7, 14);

pub(crate) struct Trips {
    seed: u64,
    places: Places,
    vehicles: Weighted,
    zones: Weighted,
}

/// A kind of car, how common it is, and its price in cents.
struct Vehicle {
    name: &'static str,
    weight: u32,
    cents_flat: u32,
    cents_a_km: u32,
}

impl Trips {
    pub(crate) fn new(seed: u64) -> Trips {
        Trips {
            seed,
            places: Places::new(),
            vehicles: Weighted::new(VEHICLES.iter().map(|vehicle| vehicle.weight)),
            zones: Weighted::zipf(u32::try_from(ZONES.len()).expect("a few"), 2),
        }
    }

    pub(crate) fn write(&self, event: &mut Event, object: &mut Object<'_>) {
        let dropoff_ms = event.time_ms();
        let random = &mut event.random;
        let distance_m = 600 + random.exponential(5_400);
        let duration_s = 120 + distance_m / 8 + random.exponential(300);

        object.numbered("trip_id", "trip", [i64::from(event.partition), event.seq.cast_signed()]);
        object.unsigned("seq", event.seq);
        write_time("pickup_at", dropoff_ms - i64::from(duration_s) * 1_000, object);
        write_time("dropoff_at", dropoff_ms, object);
        let (place, vehicle) = self.write_driver(random, object);
        self.write_route(place, random, object);
        object.decimal("distance_km", i64::from(distance_m), 3);
        let fare_cents = vehicle.cents_flat + distance_m * vehicle.cents_a_km / 1_000;
        write_payment(fare_cents, random, object);
        write_ride(random, object);
    }

    fn write_driver(&self, random: &mut Random, object: &mut Object<'_>) -> (&Place, &'static Vehicle) {
        let driver = random.skewed(DRIVER_BITS.0, DRIVER_BITS.1);
        let mut driver_random = Random::of([self.seed, u64::from(driver)]);
        let place = self.places.draw(&mut driver_random);
        let vehicle = &VEHICLES[self.vehicles.draw(&mut driver_random)];
        object.unsigned("driver_id", 70_000 + u64::from(driver));
        object.texts("driver_name", &people::draw_name(&mut driver_random));
        object.text("country", place.country.name);
        object.text("city", place.city.name);
        object.text("vehicle", vehicle.name);
        (place, vehicle)
    }

    /// Writes from where to where. One car in 40 has lost its position.
    fn write_route(&self, place: &Place, random: &mut Random, object: &mut Object<'_>) {
        object.text("pickup_zone", ZONES[self.zones.draw(random)]);
        object.text("dropoff_zone", ZONES[self.zones.draw(random)]);
        if random.one_in(40) {
            object.null("pickup_latitude");
            object.null("pickup_longitude");
            return;
        }
        let (latitude, longitude) = place.city.at;
        object.decimal(
            "pickup_latitude",
            i64::from(latitude) * 10 + i64::from(random.between(-6_000, 6_000)),
            5,
        );
        object.decimal(
            "pickup_longitude",
            i64::from(longitude) * 10 + i64::from(random.between(-6_000, 6_000)),
            5,
        );
    }
}

fn write_time(name: &str, time_ms: i64, object: &mut Object<'_>) {
    let text = TimeText::of_ms(time_ms);
    object.texts(name, &[text.date(), " ", text.time_of_day()]);
}

fn write_payment(fare_cents: u32, random: &mut Random, object: &mut Object<'_>) {
    object.decimal("fare", i64::from(fare_cents), 2);
    let payment = random.pick(&PAYMENTS);
    if payment.is_empty() {
        object.null("payment");
    } else {
        object.text("payment", payment);
    }
    if payment == "card" {
        let percent = [0, 0, 5, 10, 10, 15, 20][random.below(7) as usize];
        object.decimal("tip", i64::from(fare_cents * percent / 100), 2);
    }
}

fn write_ride(random: &mut Random, object: &mut Object<'_>) {
    object.unsigned("passengers", u64::from(1 + random.exponential(1).min(5)));
    object.boolean("shared", random.one_in(8));
    if random.one_in(3) {
        let bad_day = random.one_in(12);
        let half_stars = if bad_day { random.between(2, 6) } else { random.between(8, 10) };
        object.decimal("rating", i64::from(half_stars) * 5, 1);
    }
}

static VEHICLES: [Vehicle; 5] = [
    Vehicle { name: "sedan", weight: 60, cents_flat: 350, cents_a_km: 190 },
    Vehicle { name: "van", weight: 14, cents_flat: 500, cents_a_km: 260 },
    Vehicle { name: "electric", weight: 18, cents_flat: 320, cents_a_km: 170 },
    Vehicle { name: "wheelchair", weight: 3, cents_flat: 350, cents_a_km: 190 },
    Vehicle { name: "tuk-tuk", weight: 5, cents_flat: 120, cents_a_km: 80 },
];

static ZONES: [&str; 16] = [
    "Centre",
    "Main Station",
    "Airport",
    "Old Town",
    "University",
    "Harbour",
    "Trade Fair",
    "North Gate",
    "Hospital",
    "Market",
    "Stadium",
    "South Bank",
    "East Hills",
    "Museum Mile",
    "Garden District",
    "Mill Quarter",
];

/// How rides are paid; empty: the meter did not say.
static PAYMENTS: [&str; 12] =
    ["card", "card", "card", "card", "card", "card", "cash", "cash", "cash", "account", "voucher", ""];
