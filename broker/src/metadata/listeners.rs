//! Those who act on a broker's settings and have to be told when they change while it runs.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use strandline_state::settings::BrokerSettings;

use super::Metadata;

/// Does what follows from settings.
pub type Listener = Box<dyn Fn(&BrokerSettings) + Send>;

/// All of them.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

impl fmt::Debug for Listeners {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} listeners", self.listeners().len())
    }
}

impl Listeners {
    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all of them.
    pub(super) fn tell(&self, settings: &BrokerSettings) {
        self.listeners().iter().for_each(|listener| listener(settings));
    }
}

impl Metadata {
    /// Tells this one what is in force, now and whenever it changes.
    pub fn add_settings_listener(&self, listener: Listener) {
        let mut listeners = self.settings_listeners.listeners();
        listener(&self.settings());
        listeners.push(listener);
    }
}
