//! The states that orders go through, one event for each.
//!
//! A partition works on batches of 64 orders: all 64 are created, then all move on, four states in all. So the events of an
//! order lie 64 apart, and which order and state an event is about follows from its sequence number alone.

use crate::calendar::TimeText;
use crate::generator::Event;
use crate::json::Object;
use crate::people;
use crate::places::{Place, Places};
use crate::random::Random;
use crate::weighted::Weighted;

const ORDERS_A_BATCH: u64 = 64;
const STATES_AN_ORDER: u64 = 4;
/// Customers are drawn by rank: 32 great ones alike, half a million in all.
const CUSTOMER_BITS: (u32, u32) = (5, 19);
const PREFIX: &str = "order";

pub(crate) struct Orders {
    seed: u64,
    places: Places,
    courses: Weighted,
}

/// The order and state that an event is about.
struct Change {
    order_number: u64,
    state: usize,
}

/// A currency and an amount in its smallest unit.
struct Price {
    currency: &'static str,
    decimals: u32,
    units: i64,
}

impl Change {
    fn at(seq: u64) -> Change {
        let (batch, place) =
            (seq / (ORDERS_A_BATCH * STATES_AN_ORDER), seq % (ORDERS_A_BATCH * STATES_AN_ORDER));
        let order_number = batch * ORDERS_A_BATCH + place % ORDERS_A_BATCH;
        let state = usize::try_from(place / ORDERS_A_BATCH).expect("below the states of an order");
        Change { order_number, state }
    }
}

impl Orders {
    pub(crate) fn new(seed: u64) -> Orders {
        let courses = Weighted::new(COURSES.iter().map(|(_, weight)| *weight));
        Orders { seed, places: Places::new(), courses }
    }

    /// Returns the order's id, as in the column `order_id`.
    pub(crate) fn key(partition: i32, seq: u64) -> String {
        format!("{PREFIX}-{partition}-{}", Change::at(seq).order_number)
    }

    pub(crate) fn write(&self, event: &mut Event, object: &mut Object<'_>) {
        let Change { order_number, state } = Change::at(event.seq);
        let partition = u64::from(event.partition.cast_unsigned());
        let random = &mut Random::of([self.seed, partition, order_number]);
        let (course, _) = &COURSES[self.courses.draw(random)];
        let time_ms = event.time_ms();

        object.numbered("order_id", PREFIX, [i64::from(event.partition), order_number.cast_signed()]);
        object.unsigned("seq", event.seq);
        object.integer("updated_at", time_ms);
        object.text("updated_on", TimeText::of_ms(time_ms).date());
        object.text("status", course[state]);
        let place = self.write_customer(random, object);
        write_payment(place, random, object);
        write_wishes(random, object);
    }

    /// Writes who ordered. As with users, the customer's own sequence gives what stays.
    fn write_customer(&self, random: &mut Random, object: &mut Object<'_>) -> &Place {
        let customer = random.skewed(CUSTOMER_BITS.0, CUSTOMER_BITS.1);
        let mut customer_random = Random::of([self.seed, u64::from(customer)]);
        let place = self.places.draw(&mut customer_random);
        object.unsigned("customer_id", 500_000 + u64::from(customer));
        object.texts("customer_name", &people::draw_name(&mut customer_random));
        object.text("country", place.country.name);
        object.text("city", place.city.name);
        place
    }
}

fn write_payment(place: &Place, random: &mut Random, object: &mut Object<'_>) {
    let item_count = 1 + random.exponential(2).min(40);
    let method = random.pick(&PAYMENT_METHODS);
    let price = price_of(item_count, method, place, random);
    object.unsigned("item_count", u64::from(item_count));
    object.text("payment_method", method);
    object.text("currency", price.currency);
    object.decimal_text("amount", price.units, price.decimals);
    object.decimal_text("tax", price.units / 100 * 19, price.decimals);
    object.hex("payment_fingerprint", [random.next()]);
    if !random.one_in(20) {
        let grams = item_count * 120 + random.exponential(900);
        object.decimal("weight_kg", i64::from(grams), 3);
    }
}

/// Returns the price: in the customer's currency, or in ether with the 18 decimals that no double holds.
fn price_of(item_count: u32, method: &str, place: &Place, random: &mut Random) -> Price {
    let cents = i64::from(item_count * 300 + random.exponential(6_000 * item_count));
    if method == "ether" {
        let wei = cents * 4_000_000_000_000 + i64::from(random.below(1_000_000));
        return Price { currency: "ETH", decimals: 18, units: wei };
    }
    let country = place.country;
    let units = if country.currency_decimals == 0 { cents * 2 } else { cents };
    Price { currency: country.currency, decimals: country.currency_decimals, units }
}

fn write_wishes(random: &mut Random, object: &mut Object<'_>) {
    object.boolean("express", random.one_in(5));
    match random.below(6) {
        0 => object.text("coupon", random.pick(&COUPONS)),
        1 | 2 => object.null("coupon"),
        _ => {}
    }
    if random.one_in(4) {
        object.text("gift_note", random.pick(&GIFT_NOTES));
    } else {
        object.null("gift_note");
    }
}

/// The four states of an order, and how often it goes that way.
static COURSES: [([&str; 4], u32); 5] = [
    (["created", "paid", "shipped", "delivered"], 88),
    (["created", "paid", "shipped", "returned"], 5),
    (["created", "paid", "refunded", "archived"], 2),
    (["created", "payment_failed", "cancelled", "archived"], 4),
    (["created", "payment_failed", "paid", "shipped"], 1),
];

static PAYMENT_METHODS: [&str; 10] =
    ["card", "card", "card", "card", "wallet", "wallet", "invoice", "bank_transfer", "gift_card", "ether"];

static COUPONS: [&str; 6] = ["WELCOME10", "ÉTÉ-2026", "SPRING_🌱", "FRIENDS", "お正月", "FREE-SHIPPING"];

static GIFT_NOTES: [&str; 10] = [
    "Happy birthday! 🎂",
    "Alles Gute zum Geburtstag, liebe Grüße von uns allen",
    "お誕生日おめでとうございます",
    "С днём рождения!",
    "Felicidades, ¡que lo disfrutes!",
    "كل عام وأنتم بخير",
    "For \"the best\" mum 💐",
    "Line one\nline two\tand a tab",
    "家族 👨‍👩‍👧‍👦 より",
    "With love, and a note that is longer than the column allows, because someone always writes the whole story of the \
     present, of the shop, of the weather on that day and of the long way home",
];

#[cfg(test)]
mod tests;
