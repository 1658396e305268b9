//! Whom a client asks where some of a cluster's brokers do not answer. The time is paused, and the brokers are in memory:
//! how long something took is how long it waited.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::metadata::MetadataResponse;
use tokio::io::DuplexStream;
use tokio::time::Instant;

use super::fake::{Attempts, Net, Peer, Serving, everything, members};
use crate::{Client, ClientConfig, Error};

/// What a broker does that answers which versions it has, and not what is asked then.
#[derive(Clone, Copy, Debug)]
enum Vice {
    SaysNothing,
    HangsUp,
    AnswersRubbish,
    NamesBrokersThatCannotBe,
    ServesNoMetadata,
}

impl Vice {
    const ALL: [Self; 5] = [
        Self::SaysNothing,
        Self::HangsUp,
        Self::AnswersRubbish,
        Self::NamesBrokersThatCannotBe,
        Self::ServesNoMetadata,
    ];

    /// How long it costs to find out.
    fn costs(self) -> Duration {
        if matches!(self, Self::SaysNothing) { Duration::from_secs(30) } else { Duration::ZERO }
    }
}

const BOTH: [(i32, &str); 2] = [(0, "bad"), (1, "good")];
/// More than a wait between two attempts, less than an attempt that waits for nothing.
const SOON: Duration = Duration::from_secs(2);

async fn be_bad(vice: Vice, mut peer: Peer<DuplexStream>) {
    let mut served = everything();
    if matches!(vice, Vice::ServesNoMetadata) {
        served.api_keys.retain(|version| version.api_key != i16::from(ApiKey::Metadata));
    }
    let asked = peer.next().await.unwrap();
    peer.answer(&asked, &served).await;
    while let Some(asked) = peer.next().await {
        match vice {
            Vice::SaysNothing | Vice::ServesNoMetadata => {}
            Vice::HangsUp => return,
            Vice::AnswersRubbish => {
                let id = asked.header.correlation_id.to_be_bytes();
                let mut frame = vec![0, 0, 0, 12];
                frame.extend([id[0], id[1], id[2], id[3], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
                peer.send(&frame).await;
            }
            Vice::NamesBrokersThatCannotBe => {
                let mut response = members(&BOTH);
                response.brokers[0].port = 0;
                peer.answer(&asked, &response).await;
            }
        }
    }
}

/// Answers so many questions on each connection, and hangs up.
async fn be_good(mut peer: Peer<DuplexStream>, answers: usize, response: MetadataResponse) {
    peer.greet().await;
    for _ in 0..answers {
        let Some(asked) = peer.next().await else { return };
        peer.answer(&asked, &response).await;
    }
}

fn net(vice: Vice, answers: usize, bootstrap: &str) -> (ClientConfig, Attempts) {
    let serve = move |host: &str, _, peer| -> Option<Serving> {
        match host {
            "bad" => Some(Box::pin(be_bad(vice, peer))),
            _ => Some(Box::pin(be_good(peer, answers, members(&BOTH)))),
        }
    };
    Net::new(serve).config(bootstrap)
}

#[tokio::test(start_paused = true)]
async fn one_bad_broker_does_not_keep_a_client_from_the_good_ones() {
    for vice in Vice::ALL {
        let (config, attempts) = net(vice, usize::MAX, "bad,good");
        let began = Instant::now();
        let client = Client::connect(config).await.unwrap_or_else(|error| panic!("{vice:?}: {error}"));
        assert!(began.elapsed() <= vice.costs() + SOON, "{vice:?}: {:?}", began.elapsed());
        assert_eq!((attempts.at("bad"), attempts.at("good")), (1, 1), "{vice:?}");
        assert_eq!(client.metadata().brokers.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_stays_bad_is_not_asked_before_those_that_answer() {
    for vice in Vice::ALL {
        // The good one hangs up after two answers, so that it has to be connected to again and again.
        let (config, attempts) = net(vice, 2, "bad,good");
        let client = Client::connect(config).await.unwrap();
        let began = Instant::now();
        for _ in 0..10 {
            client.refresh(&[]).await.unwrap_or_else(|error| panic!("{vice:?}: {error}"));
        }
        assert!(began.elapsed() <= SOON, "{vice:?}: {:?}", began.elapsed());
        assert_eq!((attempts.at("bad"), attempts.at("good")), (1, 6), "{vice:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_none_answers_the_error_says_what_the_matter_is() {
    for vice in Vice::ALL {
        let (config, _) = net(vice, 0, "bad");
        let began = Instant::now();
        let error = Client::connect(config).await.unwrap_err();
        assert!(began.elapsed() <= vice.costs() + SOON, "{vice:?}: {:?}", began.elapsed());
        let is_meant = match vice {
            Vice::SaysNothing => matches!(error, Error::Timeout { .. }),
            Vice::HangsUp => matches!(error, Error::Closed { .. }),
            Vice::AnswersRubbish => matches!(error, Error::Decode { .. }),
            Vice::NamesBrokersThatCannotBe => matches!(error, Error::Missing(_)),
            Vice::ServesNoMetadata => matches!(error, Error::Unsupported { .. }),
        };
        assert!(is_meant, "{vice:?}: {error:?}");
        let (config, _) = net(vice, 0, "bad,hole");
        let error = Client::connect(config).await.unwrap_err();
        assert!(matches!(error, Error::NoBroker { tried: 2, .. }) && error.is_retriable(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_sends_everyone_back_is_not_where_to_begin_again() {
    let asked_first = Arc::new(AtomicUsize::new(0));
    let count = asked_first.clone();
    let serve = move |host: &str, _, mut peer: Peer<DuplexStream>| -> Option<Serving> {
        if host != "first" {
            return Some(Box::pin(be_good(peer, usize::MAX, members(&[(7, "second")]))));
        }
        let count = count.clone();
        Some(Box::pin(async move {
            peer.greet().await;
            while let Some(asked) = peer.next().await {
                let mut response = members(&[(1, "first")]);
                if count.fetch_add(1, Ordering::Relaxed) > 0 {
                    response.error_code = ErrorCode::REBOOTSTRAP_REQUIRED;
                }
                peer.answer(&asked, &response).await;
            }
        }))
    };
    let (config, attempts) = Net::new(serve).config("first,second");
    let client = Client::connect(config).await.unwrap();
    assert_eq!((client.metadata().brokers[0].id, attempts.at("second")), (1, 0));
    assert_eq!(client.refresh(&[]).await.unwrap().brokers[0].id, 7);
    assert_eq!(asked_first.load(Ordering::Relaxed), 2, "at the start, and when it said so");
}

/// A client of one broker that answers once for each connection, and then names fifty others, whom nobody reaches.
async fn misled(after: Option<Duration>) -> (Client, Attempts) {
    let names: Vec<_> = (0..50).map(|number| format!("hole-{number}")).collect();
    let known: Vec<_> = (0..).zip(names.iter().map(String::as_str)).collect();
    let response = members(&known);
    let serve =
        move |_: &str, _, peer| -> Option<Serving> { Some(Box::pin(be_good(peer, 1, response.clone()))) };
    let (config, attempts) = Net::new(serve).config("given");
    let config = match after {
        Some(after) => config.rebootstrap_after(after),
        None => config,
    };
    (Client::connect(config).await.unwrap(), attempts)
}

#[tokio::test(start_paused = true)]
async fn after_so_long_without_an_answer_the_given_addresses_are_asked_before_the_known_ones() {
    for (after, least, most) in [(None, 300, 310), (Some(45), 45, 60), (Some(3_600), 500, 510)] {
        let (client, attempts) = misled(after.map(Duration::from_secs)).await;
        let began = Instant::now();
        client.refresh(&[]).await.unwrap();
        let waited = began.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "{after:?}: {waited} s");
        assert_eq!(attempts.at("given"), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn so_long_begins_anew_with_each_answer_and_not_with_each_question() {
    let (client, _) = misled(Some(Duration::from_secs(45))).await;
    for _ in 0..2 {
        let began = Instant::now();
        // Whoever asks gives up before two have been tried.
        while tokio::time::timeout(Duration::from_secs(15), client.refresh(&[])).await.is_err() {}
        let waited = began.elapsed().as_secs();
        assert!((45..=60).contains(&waited), "{waited} s");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_an_attempt_shares_what_it_comes_to() {
    let serve = |host: &str, _, peer| -> Option<Serving> {
        (host == "good").then(|| -> Serving {
            Box::pin(be_good(peer, usize::MAX, members(&[(1, "good"), (2, "hole"), (3, "refusing")])))
        })
    };
    let (config, attempts) = Net::new(serve).config("good");
    let client = Client::connect(config).await.unwrap();
    for (turn, rest) in [(1, Duration::ZERO), (2, Duration::from_secs(1)), (3, Duration::from_secs(1))] {
        let began = Instant::now();
        // The first one gives up early, which does not lengthen the others' wait.
        let impatient = tokio::time::timeout(Duration::from_secs(9), client.broker(2));
        let callers = (0..20).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.broker(2).await })
        });
        let callers: Vec<_> = callers.collect();
        assert!(impatient.await.is_err());
        for caller in callers {
            let error = caller.await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        }
        let most = Duration::from_secs(10) + rest;
        assert!(began.elapsed() <= most + Duration::from_millis(10), "{:?}", began.elapsed());
        assert_eq!(attempts.at("hole"), turn, "one attempt for all of them");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_failed_is_left_alone_for_longer_each_time() {
    let serve = |host: &str, _, peer| -> Option<Serving> {
        (host == "good").then(|| -> Serving {
            Box::pin(be_good(peer, usize::MAX, members(&[(1, "good"), (3, "refusing")])))
        })
    };
    let (config, attempts) = Net::new(serve).config("good");
    let config = config.backoff(Duration::from_millis(100), Duration::from_secs(2));
    let client = Client::connect(config).await.unwrap();
    let began = Instant::now();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let began = Instant::now();
        assert!(matches!(client.broker(3).await, Err(Error::Connect { .. })));
        waits.push(began.elapsed());
    }
    assert_eq!(attempts.at("refusing"), 8);
    let least: Vec<_> = [0, 80, 160, 320, 640, 1_280, 1_600, 1_600].map(Duration::from_millis).into();
    assert!(waits.iter().zip(&least).all(|(wait, least)| wait >= least), "{waits:?}");
    assert!(began.elapsed() <= Duration::from_millis(100 + 200 + 400 + 800 + 1_600 + 2 * 2_000 + 100));
}
