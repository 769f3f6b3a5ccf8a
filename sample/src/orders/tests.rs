use std::collections::HashMap;

use super::{Change, ORDERS_A_BATCH, STATES_AN_ORDER};

#[test]
fn each_order_goes_through_its_states_in_sequence() {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for seq in 0..3 * ORDERS_A_BATCH * STATES_AN_ORDER {
        let Change { order_number, state } = Change::at(seq);
        let next = seen.entry(order_number).or_default();
        assert_eq!(state, *next, "order {order_number} at {seq}");
        *next += 1;
    }
    assert_eq!(seen.len() as u64, 3 * ORDERS_A_BATCH);
    assert!(seen.values().all(|states| *states == 4));
}
