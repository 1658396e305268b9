//! The metrics of a broker of ours, as far as the view needs them.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A person waits for this at every look.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// More than a broker with 100,000 partitions says.
const BYTES_MAX: u64 = 64 << 20;

/// What is taken of them.
const WANTED: [&str; 6] = [
    "strandline_network_connections",
    "strandline_network_requests_total",
    "strandline_network_received_bytes_total",
    "strandline_network_sent_bytes_total",
    "strandline_unsynced_bytes",
    "strandline_offline_directories",
];

/// Sums of metrics over their labels, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    fn parse(text: &str) -> Self {
        let mut metrics = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let name = series.split('{').next().unwrap_or_default();
            if let (true, Ok(value)) = (WANTED.contains(&name), value.parse::<f64>()) {
                *metrics.0.entry(name.to_owned()).or_default() += value;
            }
        }
        metrics
    }
}

/// None where there is nobody, or nobody of ours.
pub(super) async fn scrape(address: &str) -> Option<Metrics> {
    let text = tokio::time::timeout(PATIENCE, get(address)).await.ok()??;
    Some(Metrics::parse(&text)).filter(|metrics| *metrics != Metrics::default())
}

async fn get(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.take(BYTES_MAX).read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_good = head.split_whitespace().nth(1) == Some("200");
    is_good.then(|| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_name() {
        let text = "# HELP x y\nstrandline_network_connections 3\nstrandline_network_requests_total{api=\"a b\"} 4\n\
                    strandline_network_requests_total{api=\"c\"} 5\nsomething_else 9\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.get("strandline_network_requests_total"), Some(9.0));
        assert_eq!(metrics.get("something_else"), None);
    }
}
