//! Promises about the table as a whole; the rows are held to their examples beside the engine.

mod evaluation;
mod labels;
mod shapes;

use std::collections::BTreeSet;

use super::*;

/// Goal: the promised breadth. Method: vendors with a row of their own, by the first word of its
/// id, and the vendors whose names make a value a key.
#[test]
fn at_least_150_vendors_have_a_row_of_their_own() {
    let vendors: BTreeSet<&str> = GROUPS[3..12]
        .iter()
        .flat_map(|group| group.iter())
        .filter_map(|row| row.id.split('_').next())
        .collect();
    assert!(vendors.len() >= 150, "{}", vendors.len());
    assert!(keyed::API_VENDORS.len() + keyed::CLOUD_VENDORS.len() >= 150);
}

#[test]
fn rows_are_of_the_classes_of_the_group() {
    for row in DETECTORS {
        assert_eq!(
            row.class.group(),
            postern_types::ClassGroup::Secret,
            "{}",
            row.id
        );
    }
}
