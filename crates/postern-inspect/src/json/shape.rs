//! Tables of the places that are read.

/// What is read of a value and of what is inside it. `S` names the places to the sink.
#[derive(Debug)]
pub(crate) struct Shape<S: 'static> {
    /// What is done with a scalar here.
    pub(crate) leaf: Leaf<S>,
    /// The members that are read, when the value is an object; at most 64.
    pub(crate) members: &'static [Member<S>],
    /// The [`mark`]s of their keys: most keys of a document have none of these.
    pub(crate) marks: u64,
    /// What is read of all other members.
    pub(crate) rest: Option<&'static Shape<S>>,
    /// What is read of each element, when the value is an array.
    pub(crate) elements: Option<&'static Shape<S>>,
    /// Whether the sink is told where an object or array here begins and ends.
    pub(crate) mark: Option<S>,
}

/// What is done with a scalar.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Leaf<S> {
    /// Nothing.
    Skip,
    /// Its bytes are counted as text.
    Count,
    /// Its length is told, for the sink to decide whether it is text.
    Measure(S),
    /// It is told to the sink; so is the beginning of an object or array.
    Take(S),
}

/// A member that is read.
#[derive(Debug)]
pub(crate) struct Member<S: 'static> {
    /// Its key.
    pub(crate) name: &'static str,
    /// The other spelling under which the provider takes it (protobuf JSON); empty if none.
    pub(crate) other: &'static str,
    /// What is read of it; `None` only holds its key to one meaning.
    pub(crate) shape: Option<&'static Shape<S>>,
}

impl<S> Shape<S> {
    /// Nothing is read.
    pub(crate) const fn new() -> Self {
        Self {
            leaf: Leaf::Skip,
            members: &[],
            marks: 0,
            rest: None,
            elements: None,
            mark: None,
        }
    }

    /// A scalar is told to the sink as this.
    pub(crate) const fn take(slot: S) -> Self
    where
        S: Copy,
    {
        Self {
            leaf: Leaf::Take(slot),
            members: &[],
            marks: 0,
            rest: None,
            elements: None,
            mark: None,
        }
    }

    /// Members are read.
    pub(crate) const fn object(members: &'static [Member<S>]) -> Self {
        Self {
            leaf: Leaf::Skip,
            members,
            marks: marks(members),
            rest: None,
            elements: None,
            mark: None,
        }
    }

    /// Elements are read.
    pub(crate) const fn list(elements: &'static Self) -> Self {
        Self {
            leaf: Leaf::Skip,
            members: &[],
            marks: 0,
            rest: None,
            elements: Some(elements),
            mark: None,
        }
    }

    /// Whether what is inside a container of this kind is read, or nothing is of either kind.
    pub(crate) fn reads(&self, object: bool) -> bool {
        let (in_object, in_list) = (
            !self.members.is_empty() || self.rest.is_some(),
            self.elements.is_some(),
        );
        in_object == in_list || in_object == object
    }

    /// Whether a key may be one of the members, in whatever case: a quick look before a thorough
    /// one.
    pub(crate) fn may_have(&self, key: &[u8]) -> bool {
        self.marks & mark(key) != 0 || !key.is_ascii()
    }

    /// The place of a key among the members.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        self.members.iter().position(|member| {
            member.name.as_bytes() == key
                || (!member.other.is_empty() && member.other.as_bytes() == key)
        })
    }

    /// The member that a careless reader would take this key for: some compare keys without case
    /// (Go's `encoding/json`, which also folds the long s and the Kelvin sign).
    pub(crate) fn find_folded(&self, key: &[u8]) -> Option<&'static str> {
        let ascii = key.is_ascii();
        let same = |name: &str| match name.len() {
            0 => false,
            // Without case, a key in ASCII is as long as what it folds to.
            length if ascii => length == key.len() && key.eq_ignore_ascii_case(name.as_bytes()),
            _ => folds_to(key, name),
        };
        let member = self
            .members
            .iter()
            .find(|m| same(m.name) || same(m.other))?;
        Some(member.name)
    }
}

/// A bit for a key: one of 64, by its length and its ends, the same in whatever case.
const fn mark(key: &[u8]) -> u64 {
    let (Some(first), Some(last)) = (key.first(), key.last()) else {
        return 1;
    };
    let (first, last) = (first.to_ascii_lowercase(), last.to_ascii_lowercase());
    1 << ((key.len() + 3 * first as usize + 7 * last as usize) % 64)
}

const fn marks<S>(members: &[Member<S>]) -> u64 {
    let (mut marks, mut place) = (0, 0);
    while place < members.len() {
        let Member { name, other, .. } = &members[place];
        marks |= mark(name.as_bytes());
        if !other.is_empty() {
            marks |= mark(other.as_bytes());
        }
        place += 1;
    }
    marks
}

impl<S> Member<S> {
    /// A member that is read.
    pub(crate) const fn new(name: &'static str, shape: &'static Shape<S>) -> Self {
        Self {
            name,
            other: "",
            shape: Some(shape),
        }
    }

    /// A member with two spellings.
    pub(crate) const fn both(
        name: &'static str,
        other: &'static str,
        shape: &'static Shape<S>,
    ) -> Self {
        Self {
            name,
            other,
            shape: Some(shape),
        }
    }
}

/// Whether a key that is not all ASCII is taken for this name.
fn folds_to(key: &[u8], name: &str) -> bool {
    let Ok(key) = std::str::from_utf8(key) else {
        return false;
    };
    let folded = key.chars().map(|letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    });
    folded.eq(name.chars().map(|letter| letter.to_ascii_lowercase()))
}

/// Calls `told` with the number of members of this shape and of all below it.
#[cfg(test)]
pub(crate) fn each_below<S>(root: &'static Shape<S>, told: &mut dyn FnMut(usize)) {
    let mut seen: Vec<*const Shape<S>> = Vec::new();
    let mut left = vec![root];
    while let Some(shape) = left.pop() {
        if seen.contains(&std::ptr::from_ref(shape)) {
            continue;
        }
        seen.push(shape);
        told(shape.members.len());
        left.extend(shape.rest);
        left.extend(shape.elements);
        left.extend(shape.members.iter().filter_map(|member| member.shape));
    }
}
