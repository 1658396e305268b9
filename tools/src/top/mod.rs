//! `strandline top`: brokers, topics and groups of any Kafka cluster, as they are from moment to moment.
//!
//! What happens per second is the difference between two looks: at the ends of partitions, at what groups have
//! committed, and at the metrics of brokers of ours where these can be had.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use strandline_client::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::cluster::{Connecting, Failure, Output};
use crate::results;

mod frame;
mod sample;
mod scrape;
mod screen;

use frame::{Frame, Size};
use sample::Sampler;
use screen::{Keys, Screen};

/// `strandline top`.
#[derive(Args)]
pub(crate) struct Top {
    /// How long it is between two looks, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Print one view and end, for scripts; it takes one interval, since rates need two looks.
    #[arg(long)]
    once: bool,
    /// Where brokers serve their metrics; without it the profile's, or port 9644 of each broker.
    #[arg(long, value_name = "HOST:PORT[,...]")]
    http: Option<String>,
    #[command(flatten)]
    connecting: Connecting,
}

/// What a terminal sends that has been taken over.
const CONTROL_C: u8 = 0x03;

/// What is printed at once has no end.
const ENDLESS: Size = Size { columns: usize::MAX, rows: usize::MAX };

pub(crate) fn run(top: &Top, out: &mut impl Write) -> Result<(), Failure> {
    let http = match &top.http {
        Some(http) => Some(http.clone()),
        None => top.connecting.profile()?.http,
    };
    let wait = Duration::from_secs(top.interval);
    if top.once || top.connecting.output == Output::Json {
        let mut sampler = Sampler::new(http.as_deref());
        let (before, now) = top.connecting.run(async |client| {
            let before = sampler.look(&client).await?;
            tokio::time::sleep(wait).await;
            Ok((before, sampler.look(&client).await?))
        })?;
        let frame = Frame { before: Some(&before), now: &now, interval: wait };
        if top.connecting.output == Output::Json {
            return Ok(results::json(&frame.json(), out)?);
        }
        return Ok(frame.lines(ENDLESS).iter().try_for_each(|line| writeln!(out, "{line}"))?);
    }
    if !screen::is_terminal() {
        return Err(Failure::Usage("the output is no terminal: give --once, or -o json".to_owned()));
    }
    top.connecting.run(async |client| watch(&client, Sampler::new(http.as_deref()), wait).await)
}

/// Draws until somebody has seen enough.
async fn watch(client: &Client, mut sampler: Sampler, wait: Duration) -> Result<(), Failure> {
    // Whatever cannot be reached is told on an ordinary screen.
    let mut now = sampler.look(client).await?;
    let mut screen = Screen::enter()?;
    let mut keys = Keys::listen();
    let mut resized = signal(SignalKind::window_change())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut ticks = interval(wait);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut before = None;
    let mut trouble: Option<String> = None;
    loop {
        let frame = Frame { before: before.as_ref(), now: &now, interval: wait };
        let mut lines = frame.lines(screen.size());
        if let (Some(trouble), Some(last)) = (&trouble, lines.last_mut()) {
            trouble.clone_into(last);
        }
        screen.draw(&lines)?;
        tokio::select! {
            _ = ticks.tick() => {
                match sampler.look(client).await {
                    Ok(next) => {
                        before = Some(std::mem::replace(&mut now, next));
                        trouble = None;
                    }
                    // It goes on where the cluster comes back; until then the last view stays.
                    Err(error) => trouble = Some(format!("the last look failed: {error}")),
                }
            }
            key = keys.next() => match key {
                Some(b'q' | b'Q' | CONTROL_C) | None => return Ok(()),
                Some(_) => {}
            },
            _ = resized.recv() => {}
            _ = terminated.recv() => return Ok(()),
        }
    }
}
