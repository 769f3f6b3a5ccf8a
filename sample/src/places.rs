//! Countries and their cities, in the scripts of the people who live there.
//!
//! A city is written under its country, so that no event can show it in two. Weights are about the traffic of a web shop
//! that is known in some places more than in others; they add up to about 1000.

use crate::random::Random;
use crate::weighted::Weighted;

/// A country with its cities.
pub(crate) struct Country {
    pub(crate) name: &'static str,
    pub(crate) currency: &'static str,
    /// Digits after the point in amounts of the currency.
    pub(crate) currency_decimals: u32,
    cities: &'static [City],
}

/// A city, its share of the traffic, and where it is: latitude and longitude in 1/10000 degrees.
pub(crate) struct City {
    pub(crate) name: &'static str,
    weight: u32,
    pub(crate) at: (i32, i32),
}

/// A city with its country.
pub(crate) struct Place {
    pub(crate) country: &'static Country,
    pub(crate) city: &'static City,
}

/// All places, drawn by weight.
pub(crate) struct Places {
    places: Vec<Place>,
    weights: Weighted,
}

impl Places {
    /// Fills the tables.
    pub(crate) fn new() -> Places {
        let cities =
            |country: &'static Country| country.cities.iter().map(move |city| Place { country, city });
        let places: Vec<_> = COUNTRIES.iter().flat_map(cities).collect();
        let weights = Weighted::new(places.iter().map(|place| place.city.weight));
        Places { places, weights }
    }

    /// Returns all places, in the order of [`Places::draw_index`].
    pub(crate) fn all(&self) -> &[Place] {
        &self.places
    }

    /// Draws the position of a place.
    #[inline]
    pub(crate) fn draw_index(&self, random: &mut Random) -> usize {
        self.weights.draw(random)
    }

    /// Draws a place.
    pub(crate) fn draw(&self, random: &mut Random) -> &Place {
        &self.places[self.draw_index(random)]
    }
}

const fn country(
    name: &'static str,
    (currency, currency_decimals): (&'static str, u32),
    cities: &'static [City],
) -> Country {
    Country { name, currency, currency_decimals, cities }
}

const fn city(name: &'static str, weight: u32, at: (i32, i32)) -> City {
    City { name, weight, at }
}

const EURO: (&str, u32) = ("EUR", 2);

static COUNTRIES: [Country; 36] = [
    country(
        "United States",
        ("USD", 2),
        &[
            city("New York", 78, (407_128, -740_060)),
            city("Los Angeles", 52, (340_522, -1_182_437)),
            city("Chicago", 34, (418_781, -876_298)),
            city("Austin", 24, (302_672, -977_431)),
            city("Seattle", 22, (476_062, -1_223_321)),
        ],
    ),
    country(
        "India",
        ("INR", 2),
        &[
            city("मुंबई", 42, (190_760, 728_777)),
            city("नई दिल्ली", 38, (286_139, 772_090)),
            city("ಬೆಂಗಳೂರು", 30, (129_716, 775_946)),
            city("சென்னை", 14, (130_827, 802_707)),
        ],
    ),
    country(
        "Germany",
        EURO,
        &[
            city("Berlin", 28, (525_200, 134_050)),
            city("München", 20, (481_351, 115_820)),
            city("Köln", 14, (509_375, 69_603)),
            city("Düsseldorf", 8, (512_277, 67_735)),
        ],
    ),
    country(
        "Japan",
        ("JPY", 0),
        &[
            city("東京", 40, (356_762, 1_396_503)),
            city("大阪", 18, (346_937, 1_355_023)),
            city("札幌", 6, (430_618, 1_413_545)),
        ],
    ),
    country(
        "Brazil",
        ("BRL", 2),
        &[
            city("São Paulo", 36, (-235_505, -466_333)),
            city("Rio de Janeiro", 18, (-229_068, -431_729)),
            city("Belém", 4, (-14_558, -484_902)),
        ],
    ),
    country(
        "United Kingdom",
        ("GBP", 2),
        &[city("London", 40, (515_074, -1_278)), city("Manchester", 12, (534_808, -22_426))],
    ),
    country(
        "France",
        EURO,
        &[
            city("Paris", 32, (488_566, 23_522)),
            city("Lyon", 9, (457_640, 48_357)),
            city("Saint-Étienne", 3, (454_397, 43_872)),
        ],
    ),
    country(
        "China",
        ("CNY", 2),
        &[
            city("上海", 20, (312_304, 1_214_737)),
            city("北京", 18, (399_042, 1_164_074)),
            city("深圳", 12, (225_431, 1_140_579)),
        ],
    ),
    country(
        "Mexico",
        ("MXN", 2),
        &[city("Ciudad de México", 22, (194_326, -991_332)), city("Mérida", 4, (209_674, -895_926))],
    ),
    country(
        "South Korea",
        ("KRW", 0),
        &[city("서울", 20, (375_665, 1_269_780)), city("부산", 7, (351_796, 1_290_756))],
    ),
    country("Spain", EURO, &[city("Madrid", 14, (404_168, -37_038)), city("Málaga", 5, (367_213, -44_214))]),
    country("Italy", EURO, &[city("Milano", 13, (454_642, 91_900)), city("Forlì", 2, (442_227, 120_407))]),
    country(
        "Canada",
        ("CAD", 2),
        &[city("Toronto", 16, (436_532, -793_832)), city("Montréal", 9, (455_017, -735_673))],
    ),
    country(
        "Poland",
        ("PLN", 2),
        &[city("Warszawa", 10, (522_297, 210_122)), city("Łódź", 5, (517_592, 194_560))],
    ),
    country(
        "Ukraine",
        ("UAH", 2),
        &[city("Київ", 10, (504_501, 305_234)), city("Львів", 4, (498_397, 240_297))],
    ),
    country(
        "Turkey",
        ("TRY", 2),
        &[city("İstanbul", 14, (410_082, 289_784)), city("İzmir", 5, (384_237, 271_428))],
    ),
    country("Netherlands", EURO, &[city("Amsterdam", 11, (523_676, 49_041))]),
    country(
        "Switzerland",
        ("CHF", 2),
        &[city("Zürich", 8, (473_769, 85_417)), city("Genève", 4, (462_044, 61_432))],
    ),
    country(
        "Sweden",
        ("SEK", 2),
        &[city("Stockholm", 7, (593_293, 180_686)), city("Malmö", 3, (556_050, 130_038))],
    ),
    country("Denmark", ("DKK", 2), &[city("København", 6, (556_761, 125_683))]),
    country("Iceland", ("ISK", 0), &[city("Reykjavík", 2, (641_466, -219_426))]),
    country("Czechia", ("CZK", 2), &[city("Plzeň", 3, (497_384, 133_736))]),
    country("Greece", EURO, &[city("Αθήνα", 6, (379_838, 237_275))]),
    country("Israel", ("ILS", 2), &[city("תל אביב", 5, (320_853, 347_818))]),
    country("Egypt", ("EGP", 2), &[city("القاهرة", 9, (300_444, 312_357))]),
    country("Kuwait", ("KWD", 3), &[city("مدينة الكويت", 3, (293_759, 479_774))]),
    country("Georgia", ("GEL", 2), &[city("თბილისი", 2, (417_151, 448_271))]),
    country("Armenia", ("AMD", 2), &[city("Երևան", 2, (401_792, 444_991))]),
    country("Ethiopia", ("ETB", 2), &[city("አዲስ አበባ", 2, (90_054, 387_636))]),
    country("Bangladesh", ("BDT", 2), &[city("ঢাকা", 8, (238_103, 904_125))]),
    country("Thailand", ("THB", 2), &[city("กรุงเทพมหานคร", 9, (137_563, 1_005_018))]),
    country("Vietnam", ("VND", 0), &[city("Hà Nội", 7, (210_278, 1_058_342))]),
    country("Colombia", ("COP", 2), &[city("Bogotá", 7, (47_110, -740_721))]),
    country("Nigeria", ("NGN", 2), &[city("Lagos", 12, (65_244, 33_792))]),
    country("Australia", ("AUD", 2), &[city("Sydney", 12, (-338_688, 1_512_093))]),
    country("Curaçao", ("XCG", 2), &[city("Willemstad", 1, (121_091, -689_316))]),
];

#[cfg(test)]
mod tests;
