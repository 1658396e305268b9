//! Where a broker listens: a name or address, and a port.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// The port that is meant where none is said.
const PORT_DEFAULT: u16 = 9092;

/// A broker's address as a user writes it: `host`, `host:port`, `[v6]:port`.
///
/// ```
/// use strandline_client::BrokerAddress;
///
/// let address: BrokerAddress = "broker-1.example:9093".parse().unwrap();
/// assert_eq!((address.host(), address.port()), ("broker-1.example", 9093));
/// assert_eq!("localhost".parse::<BrokerAddress>().unwrap().port(), 9092);
/// assert_eq!("[::1]:9094".parse::<BrokerAddress>().unwrap().host(), "::1");
/// assert!("localhost:http".parse::<BrokerAddress>().is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BrokerAddress {
    host: String,
    port: u16,
}

impl BrokerAddress {
    /// An address of its parts.
    ///
    /// ```
    /// assert_eq!(strandline_client::BrokerAddress::new("::1", 9092).to_string(), "[::1]:9092");
    /// ```
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// The name or numeric address, without brackets.
    ///
    /// ```
    /// assert_eq!(strandline_client::BrokerAddress::new("a", 1).host(), "a");
    /// ```
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    ///
    /// ```
    /// assert_eq!(strandline_client::BrokerAddress::new("a", 1).port(), 1);
    /// ```
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses in a list that is separated by commas, as in `bootstrap.servers`.
    ///
    /// ```
    /// use strandline_client::BrokerAddress;
    /// assert_eq!(BrokerAddress::parse_list("a:1, b:2,").unwrap().len(), 2);
    /// assert!(BrokerAddress::parse_list(" ").is_err());
    /// ```
    pub fn parse_list(list: &str) -> Result<Vec<Self>, Error> {
        let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
        let addresses = parts.map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if addresses.is_empty() { Err(Error::Address(list.to_owned())) } else { Ok(addresses) }
    }
}

impl FromStr for BrokerAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Address(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(refused)?;
                if rest.is_empty() {
                    (host, None)
                } else {
                    (host, Some(rest.strip_prefix(':').ok_or_else(refused)?))
                }
            }
            // Without brackets there is no telling a port apart.
            None if text.parse::<std::net::Ipv6Addr>().is_ok() => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(PORT_DEFAULT), str::parse).map_err(|_| refused())?;
        let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/' || c == ',');
        if is_host && port != 0 { Ok(Self::new(host, port)) } else { Err(refused()) }
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port}")
        } else {
            write!(formatter, "{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["localhost:9092", "10.0.0.1:1", "[::1]:9092", "[fe80::1]:65535"] {
            assert_eq!(text.parse::<BrokerAddress>().unwrap().to_string(), text);
        }
        assert_eq!("::1".parse::<BrokerAddress>().unwrap(), BrokerAddress::new("::1", 9092));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", ":9092", "a:", "a:0", "a:65536", "a:-1", "[::1", "[::1]9092", "http://a", "a b:1", "a:b:1"]
        {
            assert!(text.parse::<BrokerAddress>().is_err(), "{text}");
        }
    }
}
