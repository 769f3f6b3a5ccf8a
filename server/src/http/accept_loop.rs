//! Takes connections and serves HTTP/1.1 on each.
//!
//! `axum::serve` gives a client forever to send a request's head, so this loop stands in its place: a bound on open
//! connections, a time for the head and for idling, and a drain at the end.
//!
//! Invariant: when [`serve`] returns, no connection is open.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::config::HttpConfig;

/// Pause after a failed accept, which otherwise fails again at once when no file descriptor is left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves until `stop` completes, then gives running requests their time.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    config: &HttpConfig,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(false);
    let slots = Arc::new(Semaphore::new(config.connections_max));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let slot = tokio::select! {
            () = &mut stop => break,
            slot = slots.clone().acquire_owned() => slot.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        // Reaps what has ended, so that the set does not grow with every connection ever made.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let serving = serve_connection(stream, app.clone(), config.header_timeout, stopped.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(slot);
                });
            }
            Err(error) => wait_out(&error).await,
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(config.drain_timeout, all_ended).await.is_err() {
        warn!(connections = connections.len(), "closed connections whose requests had not ended in time");
        connections.shutdown().await;
    }
}

async fn wait_out(error: &io::Error) {
    let of_one_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !of_one_client {
        warn!(%error, "cannot accept connections");
        sleep(ACCEPT_RETRY).await;
    }
}

async fn serve_connection(
    stream: TcpStream,
    app: Router,
    header_timeout: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    // Small answers must not wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        async move {
            let answered: Result<_, Infallible> = app.oneshot(request.map(Body::new)).await;
            answered
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            .serve_connection(TokioIo::new(stream), service)
    );
    let stopping = async {
        // The guard that this returns must not live across the next await. A loop that is gone has stopped too.
        let _ = stopped.wait_for(|stopped| *stopped).await.is_ok();
    };
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopping => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended early");
    }
}
