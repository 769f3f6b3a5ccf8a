use std::collections::HashSet;

use super::Places;

#[test]
fn names_are_unique_and_coordinates_on_the_globe() {
    let places = Places::new();
    let cities: HashSet<_> = places.all().iter().map(|place| place.city.name).collect();
    let countries: HashSet<_> = places.all().iter().map(|place| place.country.name).collect();
    assert_eq!(cities.len(), places.all().len());
    assert_eq!(countries.len(), super::COUNTRIES.len());
    for place in places.all() {
        let (latitude, longitude) = place.city.at;
        assert!(latitude.abs() < 900_000 && longitude.abs() < 1_800_000, "{}", place.city.name);
    }
}

#[test]
fn weights_add_up_to_about_a_thousand() {
    let total: u32 = Places::new().all().iter().map(|place| place.city.weight).sum();
    assert!((900..1_100).contains(&total), "{total}");
}
