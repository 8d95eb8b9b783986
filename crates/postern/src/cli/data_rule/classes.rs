//! `postern data-rule classes`: what can be looked for.

use postern_types::{BuiltinClass, ClassGroup};
use serde::Serialize;

use super::super::failure::Outcome;
use super::super::output::{Out, style};
use super::super::table::{Cell, Table, Tone};

/// One class, as it is listed.
#[derive(Debug, Serialize)]
struct Class {
    class: &'static str,
    group: &'static str,
    about: &'static str,
    detectors: Vec<&'static str>,
}

pub(super) fn list(out: &mut Out) -> Outcome {
    let classes: Vec<Class> = BuiltinClass::ALL.into_iter().map(class).collect();
    out.answer(&classes, |out| {
        let mut table = Table::new(&["CLASS", "GROUP", "DETECTORS", "WHAT IT IS"]);
        for class in &classes {
            let count = match class.detectors.len() {
                0 => Cell::new("-", Tone::Faint),
                count => count.to_string().into(),
            };
            table.row(vec![
                Cell::new(class.class, Tone::Strong),
                class.group.into(),
                count,
                class.about.into(),
            ]);
        }
        out.table(&table, "There is none.")?;
        let groups = ClassGroup::ALL.map(ClassGroup::as_str).join(", ");
        out.styled(
            style::FAINT,
            &format!(
                "A rule may name a class, a group ({groups}), all (but what needs an analyzer), \
                 or a class of its own: custom:NAME."
            ),
        )
    })?;
    Ok(())
}

fn class(class: BuiltinClass) -> Class {
    let rows = postern_inspect::detectors().filter(|row| row.class == class);
    Class {
        class: class.as_str(),
        group: class.group().as_str(),
        about: class.about(),
        detectors: rows.map(|row| row.id).collect(),
    }
}
