//! Which item of a response an event is of. Events say its place in the output and its id; servers
//! that speak the API may leave either out, or give an item another id in each event.
//!
//! SECURITY: clients put a text together by the place or by the id. Were one item two to us, a
//! value in it would go on in halves; so events of which it is not clear end the answer.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::bounds::CHANNELS_MAX;
use crate::clean::CleanError;
use crate::json::{NodeId, Tree};

use super::channels::TWO_WAYS;
use super::ends::is_same;

/// What an event says of its item; nothing where it does not say.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) place: Vec<u8>,
    pub(super) id: Vec<u8>,
}

impl Said {
    /// What an event says of the item that it is of, or that it tells of.
    pub(super) fn of(tree: &Tree<'_>, event: NodeId) -> Self {
        let inside = tree.member(event, "item");
        let own = tree.said(event, "item_id");
        let own = own.or_else(|| tree.said(inside?, "id"));
        Self {
            place: tree.said(event, "output_index").unwrap_or_default(),
            id: own.unwrap_or_default(),
        }
    }

    /// Whether both are certainly said of two items. An id may be the next one of the same item.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        let have_places = !self.place.is_empty() && !other.place.is_empty();
        let have_one_id = !self.id.is_empty() && self.id == other.id;
        have_places && !is_same(&self.place, &other.place) && !have_one_id
    }
}

/// An item that has begun.
#[derive(Debug, Clone, Default)]
struct Item {
    place: Vec<u8>,
    /// The first and the last of its ids.
    ids: [Vec<u8>; 2],
    identity: Vec<u8>,
    /// Whether an event told that it begins.
    announced: bool,
    /// The kinds of text that came of it, each as a hash.
    kinds: Vec<u64>,
}

/// The items of one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Items {
    begun: Vec<Item>,
    /// How many kinds of text there are in all of them.
    kinds: usize,
}

const TOO_MANY: CleanError = CleanError::CannotInspect("too many items in one answer");

impl Items {
    /// What tells the item of a piece of text from others.
    ///
    /// # Errors
    /// `CannotInspect` when it may be one that was told in another way, or there are too many.
    pub(super) fn of_text(&mut self, said: Said, kind: &[Vec<u8>]) -> Result<Vec<u8>, CleanError> {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        let kind = hasher.finish();
        let by_id = self.by_id(&said.id);
        let Some(at) = self.take(said)? else {
            return Ok(Vec::new());
        };
        // Clients that go by the id would put both texts together.
        if by_id.is_some_and(|other| other != at && self.begun[other].kinds.contains(&kind)) {
            return Err(TWO_WAYS);
        }
        let item = &self.begun[at];
        if item.kinds.contains(&kind) {
            return Ok(item.identity.clone());
        }
        let mut others = self
            .begun
            .iter()
            .filter(|other| other.kinds.contains(&kind));
        if !others.all(|other| item.is_apart(other)) {
            return Err(TWO_WAYS);
        }
        if self.kinds >= CHANNELS_MAX {
            return Err(TOO_MANY);
        }
        self.kinds += 1;
        self.begun[at].kinds.push(kind);
        Ok(self.begun[at].identity.clone())
    }

    /// An event tells that an item begins.
    ///
    /// # Errors
    /// `CannotInspect` when there are too many.
    pub(super) fn begin(&mut self, said: Said) -> Result<(), CleanError> {
        if let Some(at) = self.take(said)? {
            self.begun[at].announced = true;
        }
        Ok(())
    }

    /// What told the texts of an item, for an event that ends or begins some of them.
    pub(super) fn identity(&self, said: &Said) -> Vec<u8> {
        let known = self.by_place(&said.place).or_else(|| self.by_id(&said.id));
        match known {
            Some(at) => self.begun[at].identity.clone(),
            None if said.place.is_empty() => said.id.clone(),
            None => said.place.clone(),
        }
    }

    /// The item of which this is said, which may begin with it; `None` where nothing is said.
    fn take(&mut self, said: Said) -> Result<Option<usize>, CleanError> {
        let has_place = !said.place.is_empty();
        let fits = |at: &usize| !has_place || self.begun[*at].place.is_empty();
        let by_id = || self.by_id(&said.id).filter(fits);
        let at = match self.by_place(&said.place).or_else(by_id) {
            Some(at) => at,
            None if !has_place && said.id.is_empty() => return Ok(None),
            None if self.begun.len() >= CHANNELS_MAX => return Err(TOO_MANY),
            None => {
                let first = if has_place { &said.place } else { &said.id };
                self.begun.push(Item {
                    identity: first.clone(),
                    ..Item::default()
                });
                self.begun.len() - 1
            }
        };
        let item = &mut self.begun[at];
        if has_place {
            item.place = said.place;
        }
        if !said.id.is_empty() {
            if item.ids[0].is_empty() {
                item.ids[0].clone_from(&said.id);
            }
            item.ids[1] = said.id;
        }
        Ok(Some(at))
    }

    fn by_place(&self, place: &[u8]) -> Option<usize> {
        let is_it = |item: &Item| !item.place.is_empty() && is_same(&item.place, place);
        let found = || self.begun.iter().position(is_it);
        (!place.is_empty()).then(found).flatten()
    }

    fn by_id(&self, id: &[u8]) -> Option<usize> {
        let is_it = |item: &Item| item.ids.iter().any(|own| own == id);
        let found = || self.begun.iter().rposition(is_it);
        (!id.is_empty()).then(found).flatten()
    }
}

impl Item {
    /// Whether another item is certainly another one. An id that nobody told of before may be the
    /// next one of the same item.
    fn is_apart(&self, other: &Self) -> bool {
        let have_places = !self.place.is_empty() && !other.place.is_empty();
        let have_ids = !self.ids[0].is_empty() && !other.ids[0].is_empty();
        have_places || self.announced && have_ids
    }
}
