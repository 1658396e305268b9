//! A broker that minds no order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use strandline_broker::api::{Dispatched, Reply};
use strandline_broker::broker::Broker;
use strandline_broker::context::Connection;
use strandline_broker::net::{Dispatching, Service};
use tokio::sync::Notify;

use crate::world::World;

async fn settle(dispatched: Dispatched) -> Reply {
    match dispatched {
        Dispatched::Now(reply) => reply,
        Dispatched::Later(reply) => reply.await,
    }
}

/// Requests of one connection are begun in any order.
struct AnyRequest {
    inner: Arc<Broker>,
    world: Arc<World>,
}

impl Service for AnyRequest {
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes, received_at: Duration) -> Dispatching {
        let (inner, world, connection) =
            (Arc::clone(&self.inner), Arc::clone(&self.world), Arc::clone(connection));
        let running = tokio::spawn(async move {
            world.pause_ms(0, 4).await;
            settle(inner.dispatch(&connection, frame, received_at).await).await
        });
        let reply = async move { running.await.unwrap_or(Reply::Close("it panicked")) };
        Dispatching::done(Dispatched::later(reply))
    }
}

pub(crate) fn requests_as_they_come(broker: &Arc<Broker>, world: &Arc<World>) -> Arc<dyn Service> {
    Arc::new(AnyRequest { inner: Arc::clone(broker), world: Arc::clone(world) })
}

/// Answers of one connection that are ready, in the order in which they came to be.
#[derive(Default)]
struct Ready {
    replies: Mutex<VecDeque<Reply>>,
    arrived: Notify,
}

/// Answers of one connection are sent as they come.
struct AnyAnswer {
    inner: Arc<Broker>,
    ready: Mutex<BTreeMap<u64, Arc<Ready>>>,
}

impl Service for AnyAnswer {
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes, received_at: Duration) -> Dispatching {
        let ready = Arc::clone(self.ready.lock().unwrap().entry(connection.id).or_default());
        let dispatching = self.inner.dispatch(connection, frame, received_at);
        Dispatching::going(async move {
            let dispatched = dispatching.await;
            let there = Arc::clone(&ready);
            tokio::spawn(async move {
                let reply = settle(dispatched).await;
                there.replies.lock().unwrap().push_back(reply);
                there.arrived.notify_one();
            });
            Dispatched::later(async move {
                loop {
                    let reply = ready.replies.lock().unwrap().pop_front();
                    match reply {
                        Some(reply) => return reply,
                        None => ready.arrived.notified().await,
                    }
                }
            })
        })
    }
}

pub(crate) fn answers_as_they_come(broker: &Arc<Broker>, _: &Arc<World>) -> Arc<dyn Service> {
    Arc::new(AnyAnswer { inner: Arc::clone(broker), ready: Mutex::default() })
}
