//! What may stand behind a topic's name: one client alone changes it, so that what it does not know for certain
//! follows from its own requests that came to an unknown end.

use std::collections::BTreeSet;

use strandline_protocol::Uuid;

/// What may stand behind a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Name {
    /// There may be no topic.
    pub(crate) may_be_none: bool,
    /// It may be one of these.
    pub(crate) ids: BTreeSet<Uuid>,
    /// It may be one that nobody knows yet.
    pub(crate) may_be_new: bool,
}

impl Name {
    /// Nothing, for certain.
    pub(crate) fn none() -> Self {
        Self { may_be_none: true, ids: BTreeSet::new(), may_be_new: false }
    }

    /// This topic, for certain.
    pub(crate) fn certain(id: Uuid) -> Self {
        Self { may_be_none: false, ids: BTreeSet::from([id]), may_be_new: false }
    }

    /// The topic that it is for certain.
    pub(crate) fn only(&self) -> Option<Uuid> {
        let is_certain = !self.may_be_none && !self.may_be_new && self.ids.len() == 1;
        self.ids.first().copied().filter(|_| is_certain)
    }

    /// A topic of that name was seen, or none.
    pub(crate) fn see(&mut self, seen: Option<Uuid>) -> Result<(), String> {
        match seen {
            None if !self.may_be_none => Err(format!("there is no topic, where there is: {self:?}")),
            // One that is to come may still come.
            None => {
                self.ids.clear();
                Ok(())
            }
            Some(id) if self.ids.contains(&id) => Ok(()),
            // Whatever went before, or was asked to go, was gone when this one came.
            Some(id) if self.may_be_new => {
                *self = Self::certain(id);
                Ok(())
            }
            Some(id) => Err(format!("there is topic {id:?}, where there is not: {self:?}")),
        }
    }
}
