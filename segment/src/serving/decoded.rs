//! What was decoded from serving files and stays in memory, under one budget for the whole process.
//!
//! A [`Slot`] holds one decoded value, or nothing. When all slots together hold more than the budget, a clock goes round
//! them: a slot that was read since the hand last passed gets a second chance, any other gives up its value. A reader that
//! holds the value keeps it; the next reader decodes again.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

/// Share of the machine's memory that decoded values may take where nothing else is said.
const DEFAULT_SHARE: usize = 4;
/// The budget where the machine does not tell its memory.
const DEFAULT_BYTES: usize = 1 << 30;
/// Bytes a slot must at least hold to be worth its place in the clock.
const SLOT_BYTES_MIN: usize = 64;

/// A decoded value and the memory it takes beside the file's map.
#[derive(Debug)]
pub(crate) struct Decoded<T> {
    pub(crate) value: T,
    pub(crate) bytes: usize,
}

/// The place of one decoded value.
#[derive(Debug)]
pub(crate) struct Slot<T: Send + Sync + 'static> {
    state: Arc<SlotState<T>>,
}

#[derive(Debug)]
struct SlotState<T> {
    value: ArcSwapOption<Decoded<T>>,
    /// Read since the clock's hand last passed.
    was_read: AtomicBool,
    /// Stands in the clock.
    is_in_clock: AtomicBool,
}

trait Evict: Send + Sync {
    /// Gives up the value unless it was read lately. Returns whether the slot stays in the clock.
    fn pass(&self) -> bool;
}

struct Clock {
    budget: AtomicUsize,
    bytes: AtomicUsize,
    hands: Mutex<Hands>,
}

#[derive(Default)]
struct Hands {
    slots: VecDeque<Weak<dyn Evict>>,
    /// Dead slots are swept out when this many stand in the clock.
    sweep_at: usize,
}

/// Sets how many bytes decoded columns and dictionaries may take in this process. Without a call it is a quarter of the
/// machine's memory.
pub fn set_decoded_budget(bytes: usize) {
    clock().budget.store(bytes, Ordering::Relaxed);
    clock().make_room();
}

/// Returns how many bytes decoded columns and dictionaries take now.
pub fn decoded_bytes() -> usize {
    clock().bytes.load(Ordering::Relaxed)
}

impl<T: Send + Sync + 'static> Default for Slot<T> {
    fn default() -> Slot<T> {
        let state = SlotState {
            value: ArcSwapOption::empty(),
            was_read: AtomicBool::new(false),
            is_in_clock: AtomicBool::new(false),
        };
        Slot { state: Arc::new(state) }
    }
}

impl<T: Send + Sync + 'static> Slot<T> {
    /// Calls `read` with the value, where there is one.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> Option<R> {
        let loaded = self.state.value.load();
        let decoded = loaded.as_ref()?;
        // Written only when it changes, so that readers on many cores share the line.
        if !self.state.was_read.load(Ordering::Relaxed) {
            self.state.was_read.store(true, Ordering::Relaxed);
        }
        Some(read(&decoded.value))
    }

    /// Stores a value. Where two readers decode at once, both have the same.
    pub(crate) fn store(&self, decoded: Decoded<T>) {
        let bytes = decoded.bytes;
        clock().bytes.fetch_add(bytes, Ordering::Relaxed);
        let before = self.state.value.swap(Some(Arc::new(decoded)));
        give_back(before.as_deref());
        self.state.was_read.store(true, Ordering::Relaxed);
        if bytes >= SLOT_BYTES_MIN && !self.state.is_in_clock.swap(true, Ordering::AcqRel) {
            clock().add(Arc::downgrade(&self.state) as Weak<dyn Evict>);
        }
        clock().make_room();
    }
}

impl<T> Drop for SlotState<T> {
    fn drop(&mut self) {
        give_back(self.value.swap(None).as_deref());
    }
}

impl<T: Send + Sync> Evict for SlotState<T> {
    fn pass(&self) -> bool {
        if self.was_read.swap(false, Ordering::Relaxed) {
            return true;
        }
        // First out of the clock, then empty: a value stored in between puts the slot back.
        self.is_in_clock.store(false, Ordering::Release);
        give_back(self.value.swap(None).as_deref());
        false
    }
}

fn give_back<T>(decoded: Option<&Decoded<T>>) {
    clock().bytes.fetch_sub(decoded.map_or(0, |decoded| decoded.bytes), Ordering::Relaxed);
}

fn clock() -> &'static Clock {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    CLOCK.get_or_init(|| Clock {
        budget: AtomicUsize::new(memory_bytes().map_or(DEFAULT_BYTES, |bytes| bytes / DEFAULT_SHARE)),
        bytes: AtomicUsize::new(0),
        hands: Mutex::default(),
    })
}

impl Clock {
    fn add(&self, slot: Weak<dyn Evict>) {
        let mut hands = self.hands.lock();
        hands.slots.push_back(slot);
        if hands.slots.len() > hands.sweep_at {
            hands.slots.retain(|slot| slot.strong_count() > 0);
            hands.sweep_at = (hands.slots.len() * 2).max(1024);
        }
    }

    fn is_over(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.budget.load(Ordering::Relaxed)
    }

    fn make_room(&self) {
        if !self.is_over() {
            return;
        }
        let mut hands = self.hands.lock();
        // Twice round: the first may only take the second chances away.
        for _ in 0..2 * hands.slots.len() {
            if !self.is_over() {
                return;
            }
            let Some(slot) = hands.slots.pop_front() else { return };
            // The last owner may let go meanwhile; the slot then drops here, which takes no lock.
            if slot.upgrade().is_some_and(|slot| slot.pass()) {
                hands.slots.push_back(slot);
            }
        }
    }
}

/// Returns the memory that this process may use: the machine's, or less where its control group is limited.
fn memory_bytes() -> Option<usize> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total = total.trim().trim_end_matches(" kB").parse::<usize>().ok()? * 1024;
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|limit| limit.trim().parse::<usize>().ok());
    Some(limit.map_or(total, |limit| limit.min(total)))
}

#[cfg(test)]
mod tests;
