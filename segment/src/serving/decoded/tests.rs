//! One test alone: the budget is the process's.

use super::*;

fn stored(slot: &Slot<u32>, value: u32, bytes: usize) {
    slot.store(Decoded { value, bytes });
}

#[test]
fn slots_keep_within_the_budget_and_give_second_chances() {
    let before = decoded_bytes();
    set_decoded_budget(before + 1_000);
    let slots: Vec<Slot<u32>> = (0..4).map(|_| Slot::default()).collect();
    for (slot, value) in slots.iter().zip(0..) {
        stored(slot, value, 300);
    }
    assert!(decoded_bytes() <= before + 1_000);
    let present = |slots: &[Slot<u32>]| slots.iter().filter(|slot| slot.read(|_| ()).is_some()).count();
    assert_eq!(present(&slots), 3);

    let held = Slot::default();
    stored(&held, 9, 300);
    assert_eq!(held.read(|value| *value), Some(9), "the newest stays");
    assert_eq!(present(&slots), 2);

    stored(&held, 9, 500);
    assert!(decoded_bytes() <= before + 1_000, "a value stored twice counts once");

    let free = Slot::default();
    stored(&free, 1, 0);
    set_decoded_budget(0);
    assert_eq!((present(&slots), held.read(|value| *value)), (0, None));
    assert_eq!(free.read(|value| *value), Some(1), "what takes nothing stays");
    assert_eq!(decoded_bytes(), before);

    set_decoded_budget(usize::MAX);
    stored(&held, 9, 700);
    let filled = decoded_bytes();
    drop(held);
    assert_eq!(decoded_bytes(), filled - 700, "a slot that goes gives its bytes back");
    stored(&slots[0], 0, 100);
    assert_eq!(decoded_bytes(), filled - 600);
}
