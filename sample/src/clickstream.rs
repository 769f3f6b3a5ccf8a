//! The web shop's visitors: the flagship stream, and what the benchmark produces.
//!
//! A user lives in one city and keeps one device and browser; a few users and pages make most of the traffic. The status
//! decides the latency, and a purchase that went through carries revenue. Everything that repeats is rendered in advance.

use crate::generator::Event;
use crate::json::{Fragment, Object};
use crate::places::Places;
use crate::random::Random;
use crate::weighted::Weighted;

/// Users are drawn by rank: some 64 regulars alike, two million in all.
const USER_BITS: (u32, u32) = (6, 21);
/// A session ends after this many events of the partition: a power of two.
const SESSION_EVENTS_LOG2: u32 = 12;
const SHOP: &str = "https://shop.example";

pub(crate) struct Clickstream {
    seed: u64,
    places: Places,
    place_fragments: Vec<Fragment>,
    country_only_fragments: Vec<Fragment>,
    agents: Vec<Fragment>,
    agent_weights: Weighted,
    actions: Vec<Fragment>,
    action_weights: Weighted,
    products: Vec<String>,
    product_weights: Weighted,
    article_weights: Weighted,
    search_weights: Weighted,
    statuses: Weighted,
    campaigns: Weighted,
}

/// What the user did, how often, and where on the site that happens.
struct Action {
    name: &'static str,
    weight: u32,
    site: Site,
}

#[derive(Clone, Copy, PartialEq)]
enum Site {
    Article,
    Product,
    Search,
    Page(&'static str),
    /// The page on which revenue is made.
    Receipt,
}

/// An HTTP status, how often it comes, and the time it takes in 1/100 ms: at least, and on average on top.
struct Status {
    code: i64,
    weight: u32,
    latency_min: u32,
    latency_mean: u32,
}

impl Clickstream {
    pub(crate) fn new(seed: u64) -> Clickstream {
        let places = Places::new();
        let country_of = |object: &mut Object<'_>, index: usize| {
            object.text("country", places.all()[index].country.name);
        };
        let place_fragments = (0..places.all().len()).map(|index| {
            Fragment::new(|object| {
                country_of(object, index);
                object.text("city", places.all()[index].city.name);
            })
        });
        let country_only_fragments = (0..places.all().len()).map(|index| {
            Fragment::new(|object| {
                country_of(object, index);
                object.null("city");
            })
        });
        let products = product_paths();
        Clickstream {
            seed,
            place_fragments: place_fragments.collect(),
            country_only_fragments: country_only_fragments.collect(),
            agents: AGENTS.iter().map(agent_fragment).collect(),
            agent_weights: Weighted::new(AGENTS.iter().map(|(_, _, weight)| *weight)),
            actions: ACTIONS.iter().map(|action| text_fragment("event_type", action.name)).collect(),
            action_weights: Weighted::new(ACTIONS.iter().map(|action| action.weight)),
            product_weights: Weighted::zipf(u32::try_from(products.len()).expect("a few thousand"), 8),
            products,
            article_weights: Weighted::zipf(u32::try_from(ARTICLES.len()).expect("a few"), 0),
            search_weights: Weighted::zipf(u32::try_from(SEARCHES.len()).expect("a few"), 3),
            statuses: Weighted::new(STATUSES.iter().map(|status| status.weight)),
            campaigns: Weighted::new(CAMPAIGNS.iter().map(|(_, weight)| *weight)),
            places,
        }
    }

    #[inline]
    pub(crate) fn write(&self, event: &mut Event, object: &mut Object<'_>) {
        let time_ms = event.time_ms();
        let user = event.random.skewed(USER_BITS.0, USER_BITS.1);
        let action_index = self.action_weights.draw(&mut event.random);
        let action = &ACTIONS[action_index];
        let status = &STATUSES[self.statuses.draw(&mut event.random)];

        object.integer("ts", time_ms);
        object.unsigned("seq", event.seq);
        object.fragment(&self.actions[action_index]);
        self.write_user(user, event, object);
        self.write_url(action.site, &mut event.random, object);
        object.integer("status", status.code);
        let latency = status.latency_min + event.random.exponential(status.latency_mean);
        object.decimal("latency_ms", i64::from(latency), 2);
        write_revenue(action.site == Site::Receipt && status.code == 200, &mut event.random, object);
    }

    /// Writes who did it. The user's own sequence gives what stays the same in all events of a user.
    #[inline]
    fn write_user(&self, user: u32, event: &mut Event, object: &mut Object<'_>) {
        object.unsigned("user_id", user_id(user));
        let mut user_random = Random::of([self.seed, u64::from(user)]);
        let session_start = event.seq >> SESSION_EVENTS_LOG2;
        let partition = u64::from(event.partition.cast_unsigned());
        object.hex("session_id", [user_random.next() ^ Random::of([session_start, partition]).next()]);

        let place = self.places.draw_index(&mut user_random);
        let city_is_unknown = event.random.one_in(50);
        let fragments = if city_is_unknown { &self.country_only_fragments } else { &self.place_fragments };
        object.fragment(&fragments[place]);
        object.fragment(&self.agents[self.agent_weights.draw(&mut user_random)]);
    }

    #[inline]
    fn write_url(&self, site: Site, random: &mut Random, object: &mut Object<'_>) {
        let path: [&str; 2] = match site {
            Site::Article => ["/journal/", ARTICLES[self.article_weights.draw(random)]],
            Site::Product => ["/products/", &self.products[self.product_weights.draw(random)]],
            Site::Search => ["/search?q=", SEARCHES[self.search_weights.draw(random)]],
            Site::Page(path) => [path, ""],
            Site::Receipt => ["/checkout/receipt", ""],
        };
        let campaign = match site {
            Site::Article | Site::Product => CAMPAIGNS[self.campaigns.draw(random)].0,
            Site::Search | Site::Page(_) | Site::Receipt => "",
        };
        object.texts("url", &[SHOP, path[0], path[1], campaign]);
    }
}

/// Writes the revenue of a purchase. Without one, half of the producers write null and half leave the key out.
#[inline]
fn write_revenue(purchased: bool, random: &mut Random, object: &mut Object<'_>) {
    if purchased {
        let cents = 499 + random.exponential(5_200);
        object.decimal("revenue", i64::from(cents), 2);
    } else if random.one_in(2) {
        object.null("revenue");
    }
}

/// Returns the id of the user of this rank. A multiplication by an odd number permutes the 2^24 ids, so that an id tells
/// nothing about its rank.
#[inline]
fn user_id(rank: u32) -> u64 {
    10_000_000 + ((u64::from(rank) * 0x9e_3779) & 0xff_ffff)
}

fn text_fragment(name: &str, text: &str) -> Fragment {
    Fragment::new(|object| object.text(name, text))
}

fn agent_fragment((device, browser, _): &(&str, &str, u32)) -> Fragment {
    Fragment::new(|object| {
        object.text("device", device);
        if !browser.is_empty() {
            object.text("browser", browser);
        }
    })
}

/// Returns `NUMBER-MATERIAL-COLOUR-THING` for every combination, spread so that the bestsellers are of all kinds.
fn product_paths() -> Vec<String> {
    let kinds = MATERIALS.len() * COLOURS.len() * THINGS.len();
    let path = |rank: usize| {
        let kind = rank * 1_009 % kinds;
        let thing = THINGS[kind % THINGS.len()];
        let colour = COLOURS[kind / THINGS.len() % COLOURS.len()];
        let material = MATERIALS[kind / THINGS.len() / COLOURS.len()];
        format!("{}-{colour}-{material}-{thing}", 1_000 + kind)
    };
    (0..kinds).map(path).collect()
}

static ACTIONS: [Action; 8] = [
    Action { name: "page_view", weight: 400, site: Site::Article },
    Action { name: "product_view", weight: 310, site: Site::Product },
    Action { name: "search", weight: 100, site: Site::Search },
    Action { name: "add_to_cart", weight: 75, site: Site::Product },
    Action { name: "checkout", weight: 40, site: Site::Page("/checkout/address") },
    Action { name: "purchase", weight: 25, site: Site::Receipt },
    Action { name: "sign_in", weight: 30, site: Site::Page("/account/sign-in") },
    Action { name: "share", weight: 20, site: Site::Product },
];

static STATUSES: [Status; 9] = [
    Status { code: 200, weight: 9_160, latency_min: 180, latency_mean: 4_200 },
    Status { code: 304, weight: 340, latency_min: 60, latency_mean: 210 },
    Status { code: 301, weight: 90, latency_min: 60, latency_mean: 150 },
    Status { code: 404, weight: 210, latency_min: 120, latency_mean: 700 },
    Status { code: 403, weight: 40, latency_min: 90, latency_mean: 300 },
    Status { code: 429, weight: 40, latency_min: 40, latency_mean: 90 },
    Status { code: 500, weight: 70, latency_min: 2_000, latency_mean: 45_000 },
    Status { code: 502, weight: 20, latency_min: 5_000, latency_mean: 90_000 },
    Status { code: 504, weight: 30, latency_min: 3_000_000, latency_mean: 2_000 },
];

/// Device, browser (empty: unknown, the key is missing), weight.
static AGENTS: [(&str, &str, u32); 14] = [
    ("mobile", "Chrome Mobile", 300),
    ("mobile", "Safari Mobile", 210),
    ("mobile", "Samsung Internet", 50),
    ("mobile", "Opera Mini", 15),
    ("desktop", "Chrome", 190),
    ("desktop", "Safari", 60),
    ("desktop", "Edge", 55),
    ("desktop", "Firefox", 45),
    ("desktop", "Vivaldi", 5),
    ("tablet", "Safari Mobile", 25),
    ("tablet", "Chrome Mobile", 20),
    ("tablet", "", 5),
    ("tv", "", 10),
    ("console", "Edge", 10),
];

static CAMPAIGNS: [(&str, u32); 5] = [
    ("", 60),
    ("?utm_source=newsletter&utm_medium=email", 14),
    ("?utm_source=search&utm_medium=cpc", 14),
    ("?utm_source=social&utm_campaign=été", 8),
    ("?ref=friend", 4),
];

static MATERIALS: [&str; 10] =
    ["wool", "linen", "oak", "steel", "ceramic", "cork", "denim", "felt", "glass", "crêpe"];
static COLOURS: [&str; 14] = [
    "red", "navy", "sand", "forest", "black", "ivory", "plum", "rosé", "slate", "amber", "teal", "coral",
    "mint", "grey",
];
static THINGS: [&str; 22] = [
    "scarf",
    "lamp",
    "backpack",
    "café-mug",
    "notebook",
    "chair",
    "bottle",
    "blanket",
    "clock",
    "tray",
    "vase",
    "basket",
    "cushion",
    "wallet",
    "umbrella",
    "kettle",
    "apron",
    "mirror",
    "jalapeño-grinder",
    "rug",
    "shelf",
    "candle",
];

static ARTICLES: [&str; 18] = [
    "",
    "new-arrivals",
    "how-we-choose-wool",
    "summer-sale",
    "gift-guide",
    "repair-instead-of-replace",
    "from-the-mill-to-the-shop",
    "opening-hours",
    "returns-and-refunds",
    "ten-small-kitchens",
    "meet-the-potter-of-málaga",
    "zu-besuch-in-der-weberei",
    "une-journée-au-moulin",
    "春の新作",
    "свята-наближаються",
    "a-chair-for-life",
    "care-for-linen",
    "imprint",
];

static SEARCHES: [&str; 24] = [
    "wool+scarf",
    "lamp",
    "birthday+gift",
    "mug",
    "backpack+laptop",
    "tee+kanne",
    "カメラバッグ",
    "chaise+en+chêne",
    "garrafa+térmica",
    "शादी+का+तोहफ़ा",
    "свічки",
    "茶杯",
    "우산",
    "أكواب+قهوة",
    "🎁",
    "rug+200x300",
    "umbrella+windproof",
    "κουβέρτα",
    "çaydanlık",
    "מראה",
    "แจกัน",
    "notebook+dotted",
    "rain+boots+%22kids%22",
    "clock+silent",
];
