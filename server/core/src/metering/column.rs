//! One series' hours of one month: a bitmap of what was metered, beside dense quantities that are stored
//! narrow (whole units in 32 bits) until one does not fit.

const ONE: u64 = 1_000_000;

/// Quantities by hour of the month.
#[derive(Debug, Clone)]
enum Cells {
    /// Whole units.
    Narrow(Box<[u32]>),
    /// Millionths.
    Wide(Box<[u64]>),
}

/// The hours of a month.
#[derive(Debug, Clone)]
pub struct MonthColumn {
    metered: Box<[u64]>,
    cells: Cells,
}

/// What a cell answers to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was empty and holds the record now.
    New,
    /// It holds the same quantity.
    Same,
    /// It holds another quantity, which stands.
    Different,
}

impl MonthColumn {
    /// An empty month of so many hours.
    pub fn new(hours: usize) -> MonthColumn {
        MonthColumn {
            metered: vec![0; hours.div_ceil(64)].into(),
            cells: Cells::Narrow(vec![0; hours].into()),
        }
    }

    /// What was metered in an hour, in millionths; none when nothing was.
    pub fn get(&self, hour: usize) -> Option<u64> {
        self.is_metered(hour).then(|| self.value(hour))
    }

    /// The hours from `from` on in which something was metered, and how much, in millionths.
    pub fn metered_from(&self, from: usize) -> impl Iterator<Item = (usize, u64)> {
        let words = self.metered.iter().enumerate().skip(from / 64);
        let hours = words.flat_map(move |(index, &word)| {
            let first = from.saturating_sub(index * 64).min(63);
            let mut rest = word >> first << first;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.checked_sub(1)?;
                Some(index * 64 + bit)
            })
        });
        hours.map(|hour| (hour, self.value(hour)))
    }

    /// Whether something was metered in an hour.
    fn is_metered(&self, hour: usize) -> bool {
        self.metered.get(hour / 64).is_some_and(|word| word >> (hour % 64) & 1 == 1)
    }

    fn value(&self, hour: usize) -> u64 {
        match &self.cells {
            Cells::Narrow(cells) => cells.get(hour).map_or(0, |&units| u64::from(units) * ONE),
            Cells::Wide(cells) => cells.get(hour).copied().unwrap_or(0),
        }
    }

    /// The first record of an hour stands.
    pub fn accept(&mut self, hour: usize, millionths: u64) -> Outcome {
        if self.is_metered(hour) {
            return match self.value(hour) == millionths {
                true => Outcome::Same,
                false => Outcome::Different,
            };
        }
        let units = millionths / ONE;
        let narrow = millionths.is_multiple_of(ONE).then(|| u32::try_from(units).ok()).flatten();
        match (&mut self.cells, narrow) {
            (Cells::Narrow(cells), Some(units)) => set(cells, hour, units),
            (Cells::Wide(cells), _) => set(cells, hour, millionths),
            (Cells::Narrow(cells), None) => {
                let mut wide: Box<[u64]> = cells.iter().map(|&units| u64::from(units) * ONE).collect();
                set(&mut wide, hour, millionths);
                self.cells = Cells::Wide(wide);
            }
        }
        if let Some(word) = self.metered.get_mut(hour / 64) {
            *word |= 1 << (hour % 64);
        }
        Outcome::New
    }

    /// The sum of the hours `from..to` in millionths, and in how many of them something was metered. An hour
    /// that was not metered holds 0.
    pub fn sum(&self, from: usize, to: usize) -> (u128, u32) {
        let sum = match &self.cells {
            Cells::Narrow(cells) => {
                let units: u64 = cells.get(from..to).unwrap_or(&[]).iter().map(|&u| u64::from(u)).sum();
                u128::from(units) * u128::from(ONE)
            }
            // A month of the largest quantities is below 2^63.
            Cells::Wide(cells) => u128::from(cells.get(from..to).unwrap_or(&[]).iter().sum::<u64>()),
        };
        let hours = (from..to).filter(|&hour| self.is_metered(hour)).count();
        (sum, hours as u32)
    }
}

fn set<T>(cells: &mut [T], hour: usize, value: T) {
    if let Some(cell) = cells.get_mut(hour) {
        *cell = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_of_an_hour_stands() {
        let mut month = MonthColumn::new(744);
        assert_eq!(month.accept(743, 5 * ONE), Outcome::New);
        assert_eq!(month.accept(743, 5 * ONE), Outcome::Same);
        assert_eq!(month.accept(743, 6 * ONE), Outcome::Different);
        assert_eq!(month.get(743), Some(5 * ONE));
        assert_eq!(month.get(742), None);
    }

    #[test]
    fn zero_is_a_record_that_locks_its_hour() {
        let mut month = MonthColumn::new(672);
        assert_eq!((month.accept(0, 0), month.accept(0, ONE)), (Outcome::New, Outcome::Different));
        assert_eq!(month.get(0), Some(0));
    }

    #[test]
    fn what_was_metered_comes_from_any_hour_on() {
        let mut month = MonthColumn::new(744);
        let metered = [0, 1, 63, 64, 127, 128, 700, 743];
        for hour in metered {
            month.accept(hour, hour as u64 * ONE);
        }
        for from in 0..800 {
            let found: Vec<_> = month.metered_from(from).collect();
            let expected: Vec<_> =
                metered.iter().filter(|&&h| h >= from).map(|&h| (h, h as u64 * ONE)).collect();
            assert_eq!(found, expected, "from {from}");
        }
    }

    #[test]
    fn a_month_widens_without_losing_anything() {
        let mut month = MonthColumn::new(720);
        month.accept(1, u64::from(u32::MAX) * ONE);
        month.accept(2, 1);
        month.accept(3, (u64::from(u32::MAX) + 1) * ONE);
        let expected =
            u128::from(u64::from(u32::MAX) * ONE) + 1 + u128::from((u64::from(u32::MAX) + 1) * ONE);
        assert_eq!(month.sum(0, 720), (expected, 3));
        assert_eq!(month.sum(2, 3), (1, 1));
        assert_eq!(month.accept(1, u64::from(u32::MAX) * ONE), Outcome::Same);
    }
}
