//! Log lines of the shop's services, with nested JSON of several shapes.
//!
//! `http` and `attributes` are objects, `failure` holds an array of stack frames, `labels` is JSON that the producer has
//! already turned into text, and `context` is an object in a column that is declared as text.

use crate::calendar::TimeText;
use crate::generator::Event;
use crate::json::{Array, Object};
use crate::people;
use crate::random::Random;
use crate::weighted::Weighted;

pub(crate) struct AppLogs {
    services: Weighted,
    levels: Weighted,
    routes: Weighted,
}

/// A level, how often it comes, and what is said on it.
struct Level {
    name: &'static str,
    weight: u32,
    messages: &'static [&'static str],
}

impl AppLogs {
    pub(crate) fn new() -> AppLogs {
        let zipf = |count: usize| Weighted::zipf(u32::try_from(count).expect("a few"), 1);
        AppLogs {
            services: zipf(SERVICES.len()),
            levels: Weighted::new(LEVELS.iter().map(|level| level.weight)),
            routes: zipf(ROUTES.len()),
        }
    }

    pub(crate) fn write(&self, event: &mut Event, object: &mut Object<'_>) {
        let time_ms = event.time_ms();
        let random = &mut event.random;
        let level = &LEVELS[self.levels.draw(random)];
        let service = SERVICES[self.services.draw(random)];
        let is_error = level.name == "ERROR";

        object.text("ts", TimeText::of_ms(time_ms).iso());
        object.unsigned("seq", event.seq);
        object.text("level", level.name);
        object.text("service", service);
        object.texts("logger", &["com.example.", service, random.pick(&LOGGERS)]);
        write_message(level, random, object);
        object.hex("trace_id", [random.next(), random.next()]);
        if !random.one_in(3) {
            object.boolean("sampled", random.one_in(10));
        }
        self.write_http(is_error, random, object);
        write_attributes(random, object);
        if is_error {
            write_failure(random, object);
        }
        write_origin(event.partition, random, object);
    }

    /// Writes the request being served, if there is one, and how long it took.
    fn write_http(&self, is_error: bool, random: &mut Random, object: &mut Object<'_>) {
        if random.one_in(4) {
            return object.null("http");
        }
        let (method, route) = ROUTES[self.routes.draw(random)];
        let status = if is_error { 500 } else { random.pick(&[200, 200, 200, 200, 201, 204, 304, 404]) };
        object.object("http", |http| {
            http.text("method", method);
            http.text("route", route);
            http.integer("status", status);
            http.object("client", |client| {
                client.texts("agent", &["shop-app/7.", random.pick(&["0", "1", "2 (日本語)"])]);
                client.unsigned("port", u64::from(1_024 + random.below(64_000)));
            });
        });
        let mean_us = if is_error { 800_000 } else { 24_000 };
        object.decimal("duration_ms", i64::from(150 + random.exponential(mean_us)), 3);
    }
}

/// Writes what was said. Some of it names a person, and that may be anybody.
fn write_message(level: &Level, random: &mut Random, object: &mut Object<'_>) {
    let message = random.pick(level.messages);
    let [first, between, last] = people::draw_name(random);
    match message.split_once("{name}") {
        Some((before, after)) => object.texts("message", &[before, first, between, last, after]),
        None => object.text("message", message),
    }
}

fn write_attributes(random: &mut Random, object: &mut Object<'_>) {
    object.object("attributes", |attributes| {
        attributes.unsigned("tenant", u64::from(random.skewed(2, 10)));
        attributes.object("cache", |cache| {
            cache.boolean("hit", !random.one_in(4));
            cache.decimal("age_s", i64::from(random.exponential(3_000)), 1);
        });
        attributes.array("experiments", |array| write_experiments(random, array));
        if random.one_in(8) {
            attributes.null("feature");
        }
    });
}

fn write_experiments(random: &mut Random, array: &mut Array<'_>) {
    for _ in 0..random.below(3) {
        array.object(|experiment| {
            experiment.text("name", random.pick(&EXPERIMENTS));
            experiment.text("arm", random.pick(&["a", "b"]));
        });
    }
}

fn write_failure(random: &mut Random, object: &mut Object<'_>) {
    let (kind, reason) = random.pick(&FAILURES);
    object.object("failure", |failure| {
        failure.text("kind", kind);
        failure.text("reason", reason);
        failure.array("frames", |frames| {
            for _ in 0..2 + random.below(4) {
                frames.object(|frame| {
                    frame.text("at", random.pick(&FRAMES));
                    frame.unsigned("line", u64::from(1 + random.below(900)));
                });
            }
        });
    });
}

/// Writes which installation the line comes from.
fn write_origin(partition: i32, random: &mut Random, object: &mut Object<'_>) {
    object.text("labels", random.pick(&LABELS));
    object.object("context", |context| {
        context.integer("partition", i64::from(partition));
        context.texts("pod", &["web-", random.pick(&["7f9c", "b21d", "e0e0"])]);
        context.object("build", |build| {
            build.text("branch", random.pick(&["main", "release/4.12", "grüne-wiese"]))
        });
    });
}

static LEVELS: [Level; 4] = [
    Level {
        name: "INFO",
        weight: 780,
        messages: &[
            "request served",
            "{name} signed in",
            "cart of {name} was saved",
            "newsletter sent to {name} ✉️",
            "cache warmed up",
            "在庫を更新しました",
            "order confirmed 🎉",
        ],
    },
    Level {
        name: "DEBUG",
        weight: 120,
        messages: &[
            "lookup took the slow path",
            "parsed header \"X-Request-Id\"",
            "key=C:\\temp\\cache\tsize=17",
        ],
    },
    Level {
        name: "WARN",
        weight: 75,
        messages: &[
            "retrying after time-out",
            "stock is low for {name}'s wish list",
            "\u{1b}[33mdeprecated call\u{1b}[0m",
        ],
    },
    Level {
        name: "ERROR",
        weight: 25,
        messages: &[
            "payment of {name} was declined 💳",
            "could not render page\n\tat template line 4\n\tcaused by missing key",
            "connection to ledger lost",
            "не удалось отправить письмо: {name}",
        ],
    },
];

static SERVICES: [&str; 8] =
    ["gateway", "catalogue", "search", "cart", "checkout", "payments", "mail", "recommender"];

static LOGGERS: [&str; 4] = [".http.Access", ".domain.Service", ".store.Repository", ".jobs.Nightly"];

static ROUTES: [(&str, &str); 8] = [
    ("GET", "/products/{id}"),
    ("GET", "/search"),
    ("GET", "/cart"),
    ("POST", "/cart/items"),
    ("DELETE", "/cart/items/{id}"),
    ("POST", "/orders"),
    ("GET", "/orders/{id}"),
    ("PUT", "/account/größe"),
];

static EXPERIMENTS: [&str; 4] = ["blue-button", "one-page-checkout", "großes-bild", "推荐排序"];

static FAILURES: [(&str, &str); 4] = [
    ("PaymentDeclined", "issuer said \"do not honour\""),
    ("TimedOut", "no answer within 30 s"),
    ("BrokenPipe", "peer closed the connection"),
    ("KeyMissing", "título no encontrado: \\u00e9 ≠ é"),
];

static FRAMES: [&str; 6] = [
    "checkout::pay",
    "ledger::append",
    "http::serve<'_, Request>",
    "Vec<T>::push",
    "template.html",
    "C:\\app\\main.rs",
];

/// JSON that comes as text, as from producers that serialise twice.
static LABELS: [&str; 4] = [
    r#"{"team":"core","tier":1}"#,
    r#"{"team":"growth","tier":2,"oncall":["Zoë","健太"]}"#,
    r#"{"team":"pay\"ments\"","tier":0,"pci":true}"#,
    r#"{"team":null}"#,
];
