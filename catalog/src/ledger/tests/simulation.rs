//! Random changes and crashes against a model. A failure prints its seed; `SIM_SEED=n` replays it, `SIM_SEEDS=n` runs
//! more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use super::*;

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What was acknowledged, as plainly as possible.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    tables_made: u64,
    /// Table to partition to committed offset and next sequence.
    tables: BTreeMap<u64, BTreeMap<i32, (i64, u32)>>,
    /// Every offset ever stored, as table, partition, offset.
    stored: BTreeSet<(u64, i32, i64)>,
    /// Segments that are there, as table, partition, sequence.
    segments: BTreeSet<(u64, i32, u32)>,
}

impl Model {
    /// Follows a record that was accepted; fails when an offset would be stored twice.
    fn follow(&mut self, record: &LedgerRecord) {
        match record {
            LedgerRecord::CreateTable { table, .. } => {
                self.tables_made += 1;
                assert_eq!(table.0, self.tables_made, "table ids grow by one");
                self.tables.insert(table.0, BTreeMap::new());
            }
            LedgerRecord::DropTable { table } => {
                self.tables.remove(&table.0).expect("a table that exists");
            }
            LedgerRecord::AddPartitions { table, partitions } => {
                let known = self.tables.get_mut(&table.0).unwrap();
                for added in partitions {
                    assert!(
                        known.insert(added.partition.0, (added.start.0, 0)).is_none(),
                        "partition added twice"
                    );
                }
            }
            LedgerRecord::DropSegments { table, segments } => {
                for segment in segments {
                    let key = (table.0, segment.partition.0, segment.sequence);
                    assert!(self.segments.remove(&key), "{key:?} is there before it is dropped");
                }
            }
            LedgerRecord::CommitSegment(commit) => {
                self.segments.insert((commit.table.0, commit.partition.0, commit.sequence));
                let key = (commit.table.0, commit.partition.0);
                for offset in commit.range.start.0..commit.range.end.0 {
                    assert!(
                        self.stored.insert((key.0, key.1, offset)),
                        "offset {offset} of {key:?} stored twice"
                    );
                }
                let position = self.tables.get_mut(&key.0).unwrap().get_mut(&key.1).unwrap();
                assert!(commit.range.end.0 > position.0, "position moved backwards");
                *position = (commit.range.end.0, position.1 + 1);
            }
            LedgerRecord::PutSchema { .. }
            | LedgerRecord::DropSchema { .. }
            | LedgerRecord::UpdateTable { .. }
            | LedgerRecord::SetPaused { .. }
            | LedgerRecord::SetDisabled { .. } => {}
        }
    }

    fn assert_equals(&self, state: &LedgerState) {
        let tables: BTreeMap<_, _> = state
            .tables()
            .map(|(id, table)| {
                let position = |p: &PartitionState| (p.partition.0, (p.committed.0, p.next_sequence));
                (id.0, table.positions().map(position).collect::<BTreeMap<_, _>>())
            })
            .collect();
        assert_eq!(self.tables, tables);
        for (_, table) in state.tables() {
            for at in table.positions() {
                let width = OffsetRange::new(at.start, at.committed).width();
                assert_eq!(width, at.rows + at.rejected + at.filtered + at.gap_offsets);
            }
        }
        assert_eq!(state.next_table().0, self.tables_made + 1);
    }
}

/// Makes a record that is right most of the time.
fn any_record(random: &mut Random, model: &Model) -> LedgerRecord {
    let tables: Vec<u64> = model.tables.keys().copied().collect();
    if tables.is_empty() || random.below(20) == 0 {
        return create_table(model.tables_made + 1, &format!("table{}", random.below(6)));
    }
    let table = random.pick(&tables);
    let partitions: Vec<_> = model.tables[&table].iter().map(|(&number, &at)| (number, at)).collect();
    match random.below(20) {
        0 => LedgerRecord::DropTable { table: TableId(table + random.pick(&[0, 1])) },
        1 => put_schema(&format!("table{}", random.below(8))),
        2 => LedgerRecord::DropSchema { name: format!("table{}", random.below(8)) },
        3..=5 => add_partitions(table, &[(random.pick(&[0, 1, 2, 3]), random.below(50) as i64)]),
        _ if partitions.is_empty() => add_partitions(table, &[(0, 0), (1, 10)]),
        _ => {
            let (partition, (committed, sequence)) = random.pick(&partitions);
            if random.below(4) == 0 {
                return drop_segments(table, &[(partition, random.pick(&[0, 1, 2, 3, 4, 5]))]);
            }
            let start = committed + random.pick(&[0, 0, 0, 0, -1, 1]);
            let sequence = sequence.saturating_add_signed(random.pick(&[0, 0, 0, 0, -1, 1]));
            commit(segment(table, partition, sequence, start, start + random.below(5) as i64))
        }
    }
}

/// Leaves on disk what a crash within an append may leave; returns whether that is the whole record.
fn crash_while_appending(random: &mut Random, dir: &Path, record: &LedgerRecord) -> bool {
    let frame = super::super::log::frame(record).unwrap();
    let newest =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().unwrap() == "log");
    let path = newest.max().unwrap();
    let kept = random.below(frame.len() + 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(&frame[..kept]);
    if random.below(2) == 0 {
        bytes.extend(vec![0; frame.len() - kept]); // the length arrived, the rest did not
    }
    let arrived = bytes.ends_with(&frame);
    fs::write(&path, bytes).unwrap();
    arrived
}

fn simulate(seed: u64) {
    let mut random = Random(seed);
    let limits = LogLimits { records_max: random.pick(&[1, 2, 3, 5, 7]), bytes_max: 1 << 20 };
    let dir = scratch_dir();
    let mut model = Model::default();
    let mut ledger = Ledger::open(dir.path(), true, limits).unwrap();
    for _ in 0..120 {
        let record = any_record(&mut random, &model);
        if random.below(10) > 0 {
            if append(&ledger, record.clone()).is_ok() {
                model.follow(&record);
            }
        } else {
            let is_right = ledger.read(|state| state.check(&record)).is_ok();
            drop(ledger);
            if is_right && crash_while_appending(&mut random, dir.path(), &record) {
                model.follow(&record);
            }
            ledger = Ledger::open(dir.path(), false, limits).unwrap();
        }
        ledger.read(|state| model.assert_equals(state));
    }
}

#[test]
fn positions_never_move_backwards_and_nothing_is_accepted_twice() {
    let number = |name| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(200),
    };
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| simulate(seed)) {
            println!("failed with SIM_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
