//! Tiles: the days of blocks of series, as they lie in memory and as narrow as their largest number.

use souk_core::metering::tile::{Cells, TILE_HOURS, Tile};
use souk_core::time::BillingMonth;
use souk_proto::journal::v1 as journal;

use super::CodecError;
use super::columns::{packed, packed_units, unpacked, unpacked_units};
use super::value::{month, required};

/// A tile and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedTile {
    /// The position of its sandbox.
    pub sandbox: u32,
    /// The month.
    pub month: BillingMonth,
    /// The day of the month, from 0.
    pub day: usize,
    /// The block.
    pub block: usize,
    /// The tile.
    pub tile: Tile,
}

/// A tile as it is stored.
pub fn to_journal_tile(
    sandbox: u32,
    month: BillingMonth,
    day: usize,
    block: usize,
    tile: &Tile,
) -> journal::Tile {
    let (metered, cells) = tile.parts();
    let (units, millionths) = match cells {
        Cells::Units(cells) => (packed_units(cells), Vec::new()),
        Cells::Millionths(cells) => (Vec::new(), packed(cells, u64::to_le_bytes)),
    };
    journal::Tile {
        sandbox: Some(sandbox),
        month: Some(month.index()),
        day: Some(day as u32),
        block: Some(block as u32),
        width: Some(tile.width() as u32),
        metered: packed(metered, u64::to_le_bytes),
        units,
        millionths,
    }
}

/// Reads a tile.
pub fn from_journal_tile(tile: &journal::Tile) -> Result<PlacedTile, CodecError> {
    let width = required(tile.width, "width")? as usize;
    let metered = unpacked(&tile.metered, "metered", u64::from_le_bytes)?;
    let cells = match tile.millionths.is_empty() {
        true => Cells::Units(unpacked_units(&tile.units, width * TILE_HOURS)?),
        false => Cells::Millionths(unpacked(&tile.millionths, "millionths", u64::from_le_bytes)?),
    };
    Ok(PlacedTile {
        sandbox: required(tile.sandbox, "sandbox")?,
        month: month(tile.month, "month")?,
        day: required(tile.day, "day")? as usize,
        block: required(tile.block, "block")? as usize,
        tile: Tile::from_parts(width, metered, cells).ok_or_else(|| CodecError::invalid("width", &width))?,
    })
}

#[cfg(test)]
mod tests {
    use souk_core::metering::tile::{Quantities, Run};

    use super::*;

    #[test]
    fn tiles_of_every_width_come_back() {
        for (series, quantity) in [(1, 255), (9, 256), (100, 65_536), (1_024, 2_000_000_000)] {
            for millionths in [1_u64, 1_000_000] {
                let mut tile = Tile::new(series);
                for hour in [0, 7, 23] {
                    let quantities = [quantity * millionths];
                    let handles = [series as u32 - 1];
                    tile.accept(
                        hour,
                        Run {
                            handles: &handles,
                            quantities: Quantities::Millionths(&quantities),
                            first: 0,
                            exceptions: &mut Vec::new(),
                        },
                    );
                }
                let month = BillingMonth::parse("2025-03").unwrap();
                let stored = to_journal_tile(3, month, 30, 977, &tile);
                let expected = PlacedTile { sandbox: 3, month, day: 30, block: 977, tile };
                assert_eq!(from_journal_tile(&stored), Ok(expected));
                let broken = journal::Tile { width: Some(series as u32 + 2_048), ..stored };
                assert!(from_journal_tile(&broken).is_err());
            }
        }
    }
}
