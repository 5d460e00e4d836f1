//! What was told of open months: runs and inferences, so that what is told again counts once. Their seconds and units
//! stand in the tally; when a month closes, nothing more of it is taken, and what was told of it is forgotten.

use std::ops::Bound;

use super::inferences::Inference;
use super::runs::Run;
use super::series::SeriesHandle;
use crate::cow_map::CowMap;
use crate::time::Timestamp;

/// The runs and inferences of open months, by their series.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The end by the first moment: runs of one series never overlap.
    runs: CowMap<(SeriesHandle, Timestamp), Timestamp>,
    /// By the hash of what they are called.
    inferences: CowMap<(SeriesHandle, u128), Inference>,
}

/// What was told before of the time of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// The same run.
    Same,
    /// Another run, which stands.
    Other,
}

impl Told {
    /// What was told before of the time of a run.
    pub fn before(&self, handle: SeriesHandle, run: Run) -> Before {
        let key = (handle, run.from);
        match self.runs.get(&key) {
            Some(until) if *until == run.until => return Before::Same,
            Some(_) => return Before::Other,
            None => {}
        }
        let mut later = self.runs.range_from(Bound::Excluded(&key));
        let next = later.next().is_some_and(|((of, from), _)| *of == handle && *from < run.until);
        let earlier = self.runs.last_before(&key);
        let goes_on = earlier.is_some_and(|((of, _), until)| *of == handle && run.from < *until);
        if next || goes_on { Before::Other } else { Before::Nothing }
    }

    /// Remembers a run.
    pub fn remember(&mut self, handle: SeriesHandle, run: Run) {
        self.runs.insert((handle, run.from), run.until);
    }

    /// The inference of a name.
    pub fn inference(&self, handle: SeriesHandle, name: u128) -> Option<Inference> {
        self.inferences.get(&(handle, name)).copied()
    }

    /// Remembers an inference by its name.
    pub fn remember_inference(&mut self, handle: SeriesHandle, name: u128, inference: Inference) {
        self.inferences.insert((handle, name), inference);
    }

    /// Forgets what of a series lies wholly before a moment.
    pub fn forget(&mut self, handle: SeriesHandle, end: Timestamp) {
        let first = (handle, Timestamp::MIN);
        let runs = self.runs.range_from(Bound::Included(&first)).take_while(|((of, _), _)| *of == handle);
        let old: Vec<_> = runs.filter(|(_, until)| **until <= end).map(|(key, _)| *key).collect();
        for key in old {
            self.runs.remove(&key);
        }
        let first = (handle, 0);
        let inferences = self.inferences.range_from(Bound::Included(&first));
        let mine = inferences.take_while(|((of, _), _)| *of == handle);
        let old: Vec<_> = mine.filter(|(_, call)| call.at < end).map(|(key, _)| *key).collect();
        for key in old {
            self.inferences.remove(&key);
        }
    }

    /// The runs, by series and time.
    pub fn runs(&self) -> impl Iterator<Item = (SeriesHandle, Run)> {
        self.runs.iter().map(|((handle, from), until)| (*handle, Run { from: *from, until: *until }))
    }

    /// The inferences with their names, by series.
    pub fn inferences(&self) -> impl Iterator<Item = (SeriesHandle, u128, Inference)> {
        self.inferences.iter().map(|((handle, name), inference)| (*handle, *name, *inference))
    }

    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.inferences.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::MIN.plus_micros(second * 1_000_000)
    }

    fn run(from: i64, until: i64) -> Run {
        Run { from: at(from), until: at(until) }
    }

    #[test]
    fn what_was_told_again_or_overlaps_is_found() {
        let (mine, other) = (SeriesHandle(3), SeriesHandle(4));
        let mut told = Told::default();
        told.remember(mine, run(100, 200));
        told.remember(other, run(0, 1_000));
        for (from, until, expected) in [
            (100, 200, Before::Same),
            (100, 201, Before::Other),
            (100, 150, Before::Other),
            (99, 101, Before::Other),
            (199, 250, Before::Other),
            (120, 130, Before::Other),
            (50, 300, Before::Other),
            (50, 100, Before::Nothing),
            (200, 300, Before::Nothing),
        ] {
            assert_eq!(told.before(mine, run(from, until)), expected, "{from} to {until}");
        }
        assert_eq!(told.before(SeriesHandle(2), run(100, 200)), Before::Nothing);
        assert_eq!(told.before(SeriesHandle(5), run(100, 200)), Before::Nothing);
    }

    #[test]
    fn what_lies_before_a_moment_is_forgotten_of_one_series() {
        let (mine, other) = (SeriesHandle(3), SeriesHandle(4));
        let mut told = Told::default();
        for handle in [mine, other] {
            told.remember(handle, run(100, 200));
            told.remember(handle, run(200, 301));
            for (name, second) in [(1, 299), (2, 300)] {
                told.remember_inference(handle, name, Inference { at: at(second), status: 200, units: 1 });
            }
        }
        told.forget(mine, at(300));
        assert_eq!(told.before(mine, run(100, 200)), Before::Nothing);
        assert_eq!(told.before(mine, run(200, 301)), Before::Same);
        assert_eq!(told.inference(mine, 1), None);
        assert!(told.inference(mine, 2).is_some());
        assert_eq!(told.before(other, run(100, 200)), Before::Same);
        assert!(told.inference(other, 1).is_some());
    }
}
