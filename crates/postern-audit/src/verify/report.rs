//! What a verification saw, in words for people and in fields for programs.

use std::fmt;

use crate::note::hex;
use crate::options::TailCut;
use crate::tree::Hash;

/// Something in the log that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The first entry concerned, where that can be told.
    pub seq: Option<u64>,
    /// The segment file concerned, where there is one.
    pub segment: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// Which signed checkpoint spoke for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessKind {
    /// The size that the log keeps for itself.
    SignedSize,
    /// The checkpoint that the log publishes.
    Published,
    /// A checkpoint that was kept elsewhere and handed in.
    Given,
}

/// A checkpoint, and whether the log agrees with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// Which one.
    pub kind: WitnessKind,
    /// The size that it signs; `None` if there was no such checkpoint.
    pub signed: Option<u64>,
    /// The log has at least that size, and the signed root there.
    pub agrees: bool,
}

impl Witness {
    pub(crate) fn missing(kind: WitnessKind) -> Self {
        Self {
            kind,
            signed: None,
            agrees: false,
        }
    }
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Entries that were replayed and are in order.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// Segment files read.
    pub segments: u64,
    /// The first thing that is wrong: with the lowest entry number that can be told.
    pub bad: Option<Bad>,
    /// Everything that is wrong, in the order in which it was found.
    pub findings: Vec<Bad>,
    /// The checkpoints that were, or were not, there to compare with.
    pub witnesses: Vec<Witness>,
    /// Bytes at the end that are no whole frame: a write that a crash cut short, or entries that
    /// were damaged after the last signature. Opening the log cuts and records them.
    pub unfinished_tail: Option<TailCut>,
}

impl Report {
    pub(crate) fn new(
        size: u64,
        root: Hash,
        segments: u64,
        findings: Vec<Bad>,
        witnesses: Vec<Witness>,
        unfinished_tail: Option<TailCut>,
    ) -> Self {
        let by_seq = findings
            .iter()
            .filter(|bad| bad.seq.is_some())
            .min_by_key(|bad| bad.seq);
        let bad = by_seq.or(findings.first()).cloned();
        Self {
            size,
            root,
            segments,
            bad,
            findings,
            witnesses,
            unfinished_tail,
        }
    }

    /// Whether nothing wrong was found. An unfinished tail alone is no wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.bad.is_none()
    }

    /// What this verification could not see, one sentence each.
    #[must_use]
    pub fn blind_spots(&self) -> Vec<String> {
        let mut spots = Vec::new();
        let covered = self.signed_size();
        if covered < self.size {
            spots.push(format!(
                "entries from {covered} on are signed by no checkpoint yet: a change that also \
                 rewrites everything behind it would not be seen"
            ));
        }
        if let Some(tail) = &self.unfinished_tail {
            spots.push(format!(
                "the {} bytes at the end of segment {} are no whole frame: a crash while writing \
                 and a damage after the last signature look the same",
                tail.bytes, tail.segment
            ));
        }
        let given = self
            .witnesses
            .iter()
            .any(|w| w.kind == WitnessKind::Given && w.agrees);
        spots.push(if given {
            "whoever holds the signing key could have rewritten the entries behind the given \
             checkpoint"
                .to_owned()
        } else {
            "without a checkpoint that was kept elsewhere, nobody can see that the whole directory \
             was put back to an older state, or rewritten by whoever holds the signing key"
                .to_owned()
        });
        spots.push("the sealed bodies were not opened: that takes the sealing keys".to_owned());
        spots
    }

    /// The largest size that an agreeing checkpoint signs.
    fn signed_size(&self) -> u64 {
        let agreeing = self.witnesses.iter().filter(|witness| witness.agrees);
        agreeing
            .filter_map(|witness| witness.signed)
            .max()
            .unwrap_or(0)
    }
}

impl fmt::Display for WitnessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedSize => "the stored signed size",
            Self::Published => "the published checkpoint",
            Self::Given => "the given checkpoint",
        })
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.seq, self.segment) {
            (Some(seq), Some(segment)) => write!(f, "entry {seq}, in segment {segment}: ")?,
            (Some(seq), None) => write!(f, "entry {seq}: ")?,
            (None, Some(segment)) => write!(f, "segment {segment}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_sound() {
            "in order"
        } else {
            "NOT in order"
        };
        let (size, segments) = (self.size, self.segments);
        writeln!(
            f,
            "the log is {verdict}: {size} entries in {segments} segments were read"
        )?;
        writeln!(f, "  root {}", hex(&self.root))?;
        if let Some(bad) = &self.bad {
            writeln!(f, "  first bad: {bad}")?;
        }
        for other in self
            .findings
            .iter()
            .filter(|found| Some(*found) != self.bad.as_ref())
        {
            writeln!(f, "  also: {other}")?;
        }
        for Witness {
            kind,
            signed,
            agrees,
        } in &self.witnesses
        {
            match (signed, agrees) {
                (None, _) => writeln!(f, "  {kind}: there is none")?,
                (Some(signed), true) => writeln!(f, "  {kind}: agrees, for {signed} entries")?,
                (Some(signed), false) => writeln!(f, "  {kind}: disagrees ({signed} entries)")?,
            }
        }
        for spot in self.blind_spots() {
            writeln!(f, "  not seen: {spot}")?;
        }
        Ok(())
    }
}
