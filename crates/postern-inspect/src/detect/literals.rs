//! Many texts found in one pass over a text, letters of ASCII in any letter case.
//!
//! An automaton of Aho and Corasick. Nearly all text stays within the first letters of the texts
//! that are looked for: there a table has the next state for each byte. States further in have
//! what goes on with one of the texts, and else go on as a state nearer to the beginning, so that
//! the tables are small enough to stay at hand.

use std::collections::{BTreeMap, VecDeque};

/// How many letters deep the next state is in a table.
const TABLE_DEPTH: usize = 4;

/// A place in the automaton, and whether a text ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State(u16);

/// The bit of states in which a text ends.
const ENDS: u16 = 1 << 15;

impl State {
    /// Whether a text ends there.
    pub(crate) const fn ends(self) -> bool {
        self.0 & ENDS != 0
    }

    const fn nth(self) -> usize {
        (self.0 & !ENDS) as usize
    }
}

/// The texts, which are made of fewer than `CLASSES` bytes.
#[derive(Debug)]
pub(crate) struct Literals<const CLASSES: usize> {
    /// Bytes that are alike; the first are in no text.
    classes: [u8; 256],
    /// Of the first states, one behind the other, the next for each class.
    tables: Vec<State>,
    further: Vec<Further>,
    /// How those further in go on: by which class, to where.
    steps: Vec<(u8, State)>,
    /// For each state, where its texts end in `texts`; they start where those before end.
    ends: Vec<u32>,
    texts: Vec<u16>,
}

/// A state that is in no table.
#[derive(Debug, Clone, Copy)]
struct Further {
    /// Its steps.
    from: u32,
    to: u32,
    /// The state as which it goes on by another class.
    other: State,
}

/// A state while the automaton is made.
#[derive(Default)]
struct Node {
    steps: BTreeMap<u8, usize>,
    other: usize,
    texts: Vec<u16>,
    depth: usize,
}

impl<const CLASSES: usize> Literals<CLASSES> {
    /// Texts by their numbers, in the order in which they are given.
    pub(crate) fn new<T: AsRef<str>>(texts: &[T]) -> Self {
        let (classes, count) = classes(texts);
        assert!(count <= CLASSES, "{count} classes");
        let nodes = nodes(texts, &classes);
        let mut built = Self {
            classes,
            tables: Vec::new(),
            further: Vec::new(),
            steps: Vec::new(),
            ends: Vec::with_capacity(nodes.len()),
            texts: Vec::new(),
        };
        assert!(nodes.len() < usize::from(ENDS), "the states have room");
        for node in &nodes {
            built.add(node, &nodes);
        }
        built.tables.shrink_to_fit();
        built.steps.shrink_to_fit();
        built.texts.shrink_to_fit();
        built
    }

    /// Nodes come in the order of their depth, so that the one as which another goes on is there.
    fn add(&mut self, node: &Node, nodes: &[Node]) {
        self.texts.extend(&node.texts);
        self.ends.push(self.texts.len() as u32);
        let state = |nth: usize| {
            let ends = if nodes[nth].texts.is_empty() { 0 } else { ENDS };
            State(nth as u16 | ends)
        };
        if node.depth > TABLE_DEPTH {
            let from = self.steps.len() as u32;
            let steps = node.steps.iter().map(|(class, to)| (*class, state(*to)));
            self.steps.extend(steps);
            self.further.push(Further {
                from,
                to: self.steps.len() as u32,
                other: state(node.other),
            });
            return;
        }
        // At the beginning and nowhere else nothing is there to go on as.
        let from = self.tables.len();
        match node.depth {
            0 => self.tables.resize(CLASSES, State::default()),
            _ => {
                let other = node.other * CLASSES;
                self.tables.extend_from_within(other..other + CLASSES);
            }
        }
        for (class, to) in &node.steps {
            self.tables[from + usize::from(*class)] = state(*to);
        }
    }

    /// The state behind the byte.
    #[inline(always)]
    pub(crate) fn next(&self, state: State, byte: u8) -> State {
        let class = self.classes[usize::from(byte)];
        match self.table(state, class) {
            Some(next) => next,
            None => self.further(state, class),
        }
    }

    /// The next state of one that is in the tables.
    #[inline(always)]
    fn table(&self, state: State, class: u8) -> Option<State> {
        let at = state.nth() * CLASSES + usize::from(class);
        self.tables.get(at).copied()
    }

    /// [`Self::next`] of a state that is in no table.
    fn further(&self, mut state: State, class: u8) -> State {
        loop {
            match self.table(state, class) {
                Some(next) => return next,
                None => match self.step(state.nth(), class) {
                    Ok(next) => return next,
                    Err(other) => state = other,
                },
            }
        }
    }

    /// How a state goes on that is in no table, or as which other one.
    fn step(&self, nth: usize, class: u8) -> Result<State, State> {
        let further = &self.further[nth - self.tables.len() / CLASSES];
        let steps = &self.steps[further.from as usize..further.to as usize];
        let own = steps.iter().find(|(by, _)| *by == class);
        own.map(|(_, to)| *to).ok_or(further.other)
    }

    /// The texts that end there.
    pub(crate) fn texts(&self, state: State) -> &[u16] {
        let nth = state.nth();
        let from = nth.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[from as usize..self.ends[nth] as usize]
    }
}

/// The class of each byte, and how many there are.
fn classes<T: AsRef<str>>(texts: &[T]) -> ([u8; 256], usize) {
    let mut classes = [0; 256];
    let mut count = 1;
    for byte in texts.iter().flat_map(|text| text.as_ref().bytes()) {
        let class = &mut classes[usize::from(byte.to_ascii_lowercase())];
        if *class == 0 {
            *class = count;
            count += 1;
        }
    }
    for capital in b'A'..=b'Z' {
        classes[usize::from(capital)] = classes[usize::from(capital.to_ascii_lowercase())];
    }
    (classes, usize::from(count))
}

/// The states in the order of their depth.
fn nodes<T: AsRef<str>>(texts: &[T], classes: &[u8; 256]) -> Vec<Node> {
    let mut grown = vec![Node::default()];
    for (number, text) in texts.iter().enumerate() {
        let mut at = 0;
        for byte in text.as_ref().bytes() {
            let class = classes[usize::from(byte)];
            let next = grown.len();
            let depth = grown[at].depth + 1;
            at = *grown[at].steps.entry(class).or_insert(next);
            if at == next {
                grown.push(Node {
                    depth,
                    ..Node::default()
                });
            }
        }
        grown[at].texts.push(number as u16);
    }
    let mut nodes: Vec<Node> = Vec::with_capacity(grown.len());
    // Each with its number in what has grown, and the state before it with its class.
    let mut next = VecDeque::from([(0, None)]);
    while let Some((nth, before)) = next.pop_front() {
        let mut node = std::mem::take(&mut grown[nth]);
        let number = nodes.len();
        if let Some((before, class)) = before {
            let parent: &mut Node = &mut nodes[before];
            parent.steps.insert(class, number);
            node.other = other(&nodes, before, class);
            let more = nodes[node.other].texts.clone();
            node.texts.extend(more);
        }
        let steps = node.steps.iter();
        next.extend(steps.map(|(class, to)| (*to, Some((number, *class)))));
        nodes.push(node);
    }
    nodes
}

/// The longest end of the text of a state and a class more that is the beginning of a text.
fn other(nodes: &[Node], before: usize, class: u8) -> usize {
    let mut at = before;
    while at != 0 {
        at = nodes[at].other;
        if let Some(to) = nodes[at].steps.get(&class) {
            return *to;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The numbers of the texts that end at each byte, by looking.
    fn looked(texts: &[String], text: &str) -> Vec<Vec<u16>> {
        let text = text.to_ascii_lowercase();
        let ends = (1..=text.len()).map(|end| {
            let ends = |other: &String| {
                let other = other.to_ascii_lowercase();
                text.as_bytes()[..end].ends_with(other.as_bytes())
            };
            let there = (0..texts.len()).filter(|nth| ends(&texts[*nth]));
            there.map(|nth| nth as u16).collect()
        });
        ends.collect()
    }

    proptest! {
        /// Goal: the automaton tells each text where it ends, and no other. Method: texts of few
        /// letters, so that many begin as others go on, beside a look at each end.
        #[test]
        fn every_text_is_told_where_it_ends(
            texts in proptest::collection::vec("[abAé]{1,9}", 0..12),
            text in "[abcABé]{0,40}",
        ) {
            let literals = Literals::<8>::new(&texts);
            let mut state = State::default();
            let told = text.bytes().map(|byte| {
                state = literals.next(state, byte);
                let mut told = literals.texts(state).to_vec();
                assert_eq!(state.ends(), !told.is_empty());
                told.sort_unstable();
                told
            });
            let told: Vec<Vec<u16>> = told.collect();
            prop_assert_eq!(told, looked(&texts, &text));
        }
    }
}
