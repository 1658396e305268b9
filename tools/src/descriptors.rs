//! How many files this process may have open. Owns the limit; opens nothing.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Allows this process as many open files as the system lets it have. Many systems begin with 1,024, for programs that
/// know no better; a broker has a connection for each client, and segments.
pub(crate) fn allow_as_many_as_there_may_be() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused, it stays as it is: what has its own bound keeps to that, and strangers are not let in.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
