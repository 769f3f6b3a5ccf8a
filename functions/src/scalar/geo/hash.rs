//! Geohashes: a place as letters, the more the nearer.

use crate::description::FunctionGroup::Geo;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::kind::shortened;
use crate::scalar::rows::{Double, Int, Text, fault, row1, row3};

const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// Most letters: 60 bits, which tell places apart that are some centimetres away from each other.
const LENGTH_MAX: usize = 12;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Geo,
            &["encodeGeoHash"],
            "encodeGeoHash(latitude, longitude, length)",
            "The geohash of a place, of 1 to 12 letters.",
            [row3::<Double, Double, Int, _>(|latitude, longitude, length| match usize::try_from(length) {
                Ok(length @ 1..=LENGTH_MAX) => Ok(encoded(latitude, longitude, length)),
                _ => fault(format!("a geohash has 1 to {LENGTH_MAX} letters, not {length}")),
            })],
        ),
        Function::new(
            Geo,
            &["decodeGeoHash"],
            "decodeGeoHash(geohash)",
            "The latitude and the longitude of the middle of a geohash.",
            [row1::<Text, _>(|text| decoded(text).map(|(latitude, longitude)| vec![latitude, longitude]))],
        ),
        Function::new(
            Geo,
            &["decodeGeoHashLatitude", "decodeGeoHashLat"],
            "decodeGeoHashLatitude(geohash)",
            "The latitude of the middle of a geohash.",
            [row1::<Text, _>(|text| decoded(text).map(|place| place.0))],
        ),
        Function::new(
            Geo,
            &["decodeGeoHashLongitude", "decodeGeoHashLon"],
            "decodeGeoHashLongitude(geohash)",
            "The longitude of the middle of a geohash.",
            [row1::<Text, _>(|text| decoded(text).map(|place| place.1))],
        ),
    ]
}

/// An interval that is halved bit by bit.
struct Halved {
    low: f64,
    high: f64,
}

impl Halved {
    fn middle(&self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    fn narrow(&mut self, upper: bool) {
        let middle = self.middle();
        *(if upper { &mut self.low } else { &mut self.high }) = middle;
    }
}

const LATITUDES: Halved = Halved { low: -90.0, high: 90.0 };
const LONGITUDES: Halved = Halved { low: -180.0, high: 180.0 };

/// The bits are of the longitude and of the latitude in turn.
fn encoded(latitude: f64, longitude: f64, length: usize) -> String {
    let (mut latitudes, mut longitudes) = (LATITUDES, LONGITUDES);
    let mut of_longitude = true;
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        let mut letter = 0;
        for _ in 0..5 {
            let (interval, value) =
                if of_longitude { (&mut longitudes, longitude) } else { (&mut latitudes, latitude) };
            let upper = value >= interval.middle();
            interval.narrow(upper);
            letter = letter << 1 | usize::from(upper);
            of_longitude = !of_longitude;
        }
        text.push(char::from(LETTERS[letter]));
    }
    text
}

fn decoded(text: &str) -> Result<(f64, f64), Fault> {
    let (mut latitudes, mut longitudes) = (LATITUDES, LONGITUDES);
    let mut of_longitude = true;
    for byte in text.bytes() {
        let Some(letter) = LETTERS.iter().position(|known| *known == byte) else {
            return fault(format!("'{}' is no geohash", shortened(text)));
        };
        for bit in (0..5).rev() {
            let interval = if of_longitude { &mut longitudes } else { &mut latitudes };
            interval.narrow(letter >> bit & 1 == 1);
            of_longitude = !of_longitude;
        }
    }
    Ok((latitudes.middle(), longitudes.middle()))
}
