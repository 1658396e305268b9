//! What every command has in common that talks to a cluster: whom to ask, how to print, how to fail.

use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use strandline_client::{Client, ClientConfig, Error};

use crate::profile::Profile;

/// Where a broker is looked for that nothing says the address of.
pub(crate) const BROKERS: &str = "127.0.0.1:9092";

/// Whom to ask, and how answers are printed.
#[derive(Args, Clone)]
pub(crate) struct Connecting {
    /// Addresses of one or more brokers of the cluster; without it the profile's, and without that 127.0.0.1:9092.
    #[arg(long, value_name = "HOST:PORT[,...]", env = "STRANDLINE_BROKERS", hide_env_values = true)]
    pub(crate) brokers: Option<String>,
    /// The profile that says where the cluster is: a name, or a file; see `strandline profile`.
    #[arg(long, value_name = "NAME|FILE", env = "STRANDLINE_PROFILE", hide_env_values = true)]
    pub(crate) profile: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
    /// How long one request may take, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
}

/// How an answer is printed.
#[derive(Clone, Copy, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Output {
    /// A table, for people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Why a command ends with an exit code other than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for could not be done, or not all of it. Exit code 1.
    Refused(String),
    /// Nothing was begun: the command line makes no sense, or a file or folder that it names is not there, cannot be opened
    /// or is not what it is given for. Exit code 2, as clap's own.
    Usage(String),
    /// No broker could be asked. Exit code 3.
    Unreachable(String),
    /// Writing the output failed, or something else on this machine did. Exit code 1.
    Io(io::Error),
}

impl Failure {
    /// The exit code; these numbers stay as they are.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) | Self::Io(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Unreachable(_) => ExitCode::from(3),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(text) | Self::Usage(text) | Self::Unreachable(text) => formatter.write_str(text),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Address(_) => Self::Usage(error.to_string()),
            Error::NoBroker { .. } | Error::Connect { .. } => Self::Unreachable(format!(
                "{error}\nstrandline: --brokers HOST:PORT says where the cluster is, and `strandline dev` starts one here"
            )),
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl Connecting {
    pub(crate) fn config(&self) -> Result<ClientConfig, Failure> {
        let timeout = Duration::from_secs(self.timeout);
        // One that is named and is not there is a mistake, whoever says more about where the cluster is.
        let of_profile = match (&self.profile, &self.brokers) {
            (None, Some(_)) => None,
            _ => self.profile()?.brokers,
        };
        let brokers = self.brokers.clone().or(of_profile).unwrap_or_else(|| BROKERS.to_owned());
        let config = ClientConfig::new(&brokers)?.client_id("strandline-cli");
        Ok(config.request_timeout(timeout).connect_timeout(timeout.min(Duration::from_secs(10))))
    }

    /// What the profile says, if there is one.
    pub(crate) fn profile(&self) -> Result<Profile, Failure> {
        Ok(Profile::load(self.profile.as_deref())?.1)
    }

    /// Connects, and runs `work` on this thread.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(Client) -> Result<T, Failure>) -> Result<T, Failure> {
        let config = self.config()?;
        // One thread: it has nothing to do but wait, and benchmarks count what the driver takes.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work: Pin<Box<dyn Future<Output = Result<T, Failure>>>> = Box::pin(async {
            let client = Client::connect(config).await?;
            work(client).await
        });
        // Without its type, the runtime's own code is there once and not once per command: half a megabyte.
        let result = runtime.block_on(work);
        // A resolver may still be looking for an address: nobody waits for that.
        runtime.shutdown_background();
        result
    }
}
