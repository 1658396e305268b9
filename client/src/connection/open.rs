//! The way to a connection: resolve, connect, ask for the versions.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use strandline_protocol::frame::read_response;
use tokio::net::TcpStream;

use super::{BrokerVersions, Connection};
use crate::address::BrokerAddress;
use crate::config::ClientConfig;
use crate::error::{Error, Result};
use crate::telemetry;

pub(super) async fn open(address: &BrokerAddress, config: &ClientConfig) -> Result<Connection> {
    let name: Arc<str> = address.to_string().into();
    let attempt = async {
        match &config.transport {
            None => Connection::over(connect(address, &name, config).await?, &name, config).await,
            Some(transport) => {
                let failed = |source| Error::Connect { broker: name.clone(), source: Arc::new(source) };
                let stream = transport.connect(address).await.map_err(failed)?;
                Connection::over(stream, &name, config).await
            }
        }
    };
    let opened = in_time(&name, config, attempt).await;
    match &opened {
        Ok(_) => {
            telemetry::connected();
            tracing::debug!(broker = %name, "connected");
        }
        Err(error) => {
            telemetry::not_connected();
            tracing::debug!(broker = %name, %error, "not connected");
        }
    }
    opened
}

async fn in_time<T>(
    broker: &Arc<str>,
    config: &ClientConfig,
    attempt: impl Future<Output = Result<T>>,
) -> Result<T> {
    let after = config.connect_timeout;
    match tokio::time::timeout(after, attempt).await {
        Ok(result) => result,
        Err(_) => Err(Error::Timeout { broker: broker.clone(), after }),
    }
}

/// The first of the name's addresses where somebody answers.
async fn connect(address: &BrokerAddress, name: &Arc<str>, config: &ClientConfig) -> Result<TcpStream> {
    let failed = |source: io::Error| Error::Connect { broker: name.clone(), source: Arc::new(source) };
    let resolved = tokio::net::lookup_host((address.host(), address.port())).await.map_err(failed)?;
    first_of(&resolved.collect::<Vec<_>>(), name, config).await
}

/// The first of these where somebody answers.
async fn first_of(resolved: &[SocketAddr], name: &Arc<str>, config: &ClientConfig) -> Result<TcpStream> {
    let failed = |source: io::Error| Error::Connect { broker: name.clone(), source: Arc::new(source) };
    let mut last = failed(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    // One address that swallows packets must leave time for the next.
    let share = config.connect_timeout / u32::try_from(resolved.len()).unwrap_or(u32::MAX).max(1);
    for socket in resolved {
        match tokio::time::timeout(share, TcpStream::connect(*socket)).await {
            Ok(Ok(stream)) => {
                // Requests are written whole: waiting for more to send would only delay them.
                stream.set_nodelay(true).map_err(failed)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = failed(error),
            Err(_) => last = failed(io::ErrorKind::TimedOut.into()),
        }
    }
    Err(last)
}

/// Asks in the newest version, and in the one that the broker can if it cannot do that.
pub(super) async fn negotiate(connection: &Connection) -> Result<BrokerVersions> {
    let request = ApiVersionsRequest {
        client_software_name: "strandline".into(),
        client_software_version: env!("CARGO_PKG_VERSION").into(),
        ..Default::default()
    };
    let ours = ApiKey::ApiVersions.api().stable_versions();
    let response = ask(connection, &request, ours.last).await?;
    if response.error_code != ErrorCode::UNSUPPORTED_VERSION {
        return accepted(connection, &response);
    }
    // The refusal names the range, or is from a broker so old that it names nothing.
    let theirs = BrokerVersions::from(&response).of(ApiKey::ApiVersions);
    let both = ours.intersection(theirs);
    let version = if both.is_empty() { ours.first } else { both.last };
    let response = ask(connection, &request, version).await?;
    accepted(connection, &response)
}

fn accepted(connection: &Connection, response: &ApiVersionsResponse) -> Result<BrokerVersions> {
    Error::check(response.error_code, || format!("the versions of {}", connection.broker()), None)?;
    Ok(BrokerVersions::from(response))
}

async fn ask(
    connection: &Connection,
    request: &ApiVersionsRequest,
    version: i16,
) -> Result<ApiVersionsResponse> {
    let mut answer = connection.submit_in(request, version).await?;
    let content = std::future::poll_fn(|context| answer.poll_content(context)).await?;
    let version = if is_refusal(&content) { 0 } else { version };
    let decoded = read_response::<ApiVersionsRequest>(content, version);
    decoded
        .map(|(_, response)| response)
        .map_err(|source| Error::Decode { broker: connection.shared.broker.clone(), source })
}

/// A version that the broker does not know is refused in the layout of version 0, whose error code stands where
/// that of every other version does: behind the correlation id.
fn is_refusal(content: &Bytes) -> bool {
    let code = content.get(4..).and_then(|rest| rest.first_chunk().copied());
    code.map(i16::from_be_bytes) == Some(ErrorCode::UNSUPPORTED_VERSION.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn all_addresses_of_a_name_are_tried() {
        let here = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let deserted = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        let (name, config) = (Arc::from("a name"), ClientConfig::new("unused").unwrap());
        let addresses = [deserted, deserted, here.local_addr().unwrap()];
        let stream = first_of(&addresses, &name, &config).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), here.local_addr().unwrap());
        let error = first_of(&addresses[..2], &name, &config).await.unwrap_err();
        assert!(matches!(&error, Error::Connect { .. }) && error.is_retriable(), "{error}");
        let error = first_of(&[], &name, &config).await.unwrap_err();
        assert!(error.to_string().contains("a name"), "{error}");
    }
}
