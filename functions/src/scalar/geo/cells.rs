//! Cells of the H3 grid.

use h3o::{CellIndex, LatLng, Resolution};

use super::binary;
use crate::description::FunctionGroup::Geo;
use crate::scalar::call::Fault;
use crate::scalar::function::Function;
use crate::scalar::rows::{Bytes, Double, Int, Long, fault, row2, row3};
use crate::scalar::sink::check_value;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            Geo,
            &["geoToH3"],
            "geoToH3(longitude, latitude, resolution)",
            "The cell of the H3 grid that a place is in; the place may be a shape instead, by its first point.",
            [
                row2::<Bytes, Int, _>(|shape, resolution| match binary::read(shape)?.shape.first() {
                    Some(point) => cell(point.x, point.y, resolution),
                    None => fault("the shape has no point"),
                }),
                row3::<Double, Double, Int, _>(cell),
            ],
        ),
        Function::new(
            Geo,
            &["gridDistance"],
            "gridDistance(first, second)",
            "How many steps two cells of the H3 grid are from each other.",
            [row2::<Long, Long, _>(|first, second| {
                if first == second {
                    return Ok(0);
                }
                match known(first)?.grid_distance(known(second)?) {
                    Ok(steps) => Ok(i64::from(steps)),
                    Err(_) => fault("the cells are too far from each other, or of two resolutions"),
                }
            })],
        ),
        Function::new(
            Geo,
            &["gridDisk"],
            "gridDisk(origin, steps)",
            "The cells of the H3 grid that are so many steps from a cell, or less.",
            [row2::<Long, Int, _>(|origin, steps| {
                let origin = known(origin)?;
                let Ok(steps) = u32::try_from(steps) else {
                    return fault("the number of steps is not negative");
                };
                let cells = u64::from(steps).saturating_mul(u64::from(steps) + 1).saturating_mul(3) + 1;
                check_value(usize::try_from(cells.saturating_mul(8)).unwrap_or(usize::MAX))?;
                let disk: Vec<CellIndex> = origin.grid_disk(steps);
                Ok(disk.into_iter().map(|cell| u64::from(cell).cast_signed()).collect::<Vec<i64>>())
            })],
        ),
    ]
}

fn cell(longitude: f64, latitude: f64, resolution: i32) -> Result<i64, Fault> {
    let Ok(known) = u8::try_from(resolution).map(Resolution::try_from) else {
        return fault(format!("{resolution} is no resolution; they go from 0 to 15"));
    };
    match (known, LatLng::new(latitude, longitude)) {
        (Ok(resolution), Ok(place)) => Ok(u64::from(place.to_cell(resolution)).cast_signed()),
        (Err(_), _) => fault(format!("{resolution} is no resolution; they go from 0 to 15")),
        (_, Err(_)) => fault("the place has coordinates that are not finite"),
    }
}

fn known(cell: i64) -> Result<CellIndex, Fault> {
    CellIndex::try_from(cell.cast_unsigned())
        .map_err(|_| Fault::Arguments(format!("{cell} is no cell of the H3 grid")))
}
