//! The accept loop over real sockets: slow clients, many clients, stopping.

use std::time::{Duration, Instant};

use meunier_server::config::Config;
use meunier_server::serve::RunningServer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{DEADLINE, config};

async fn start(directory: &TempDir, change: impl FnOnce(&mut Config)) -> RunningServer {
    let mut config = config(directory);
    config.listen = "127.0.0.1:0".parse().unwrap();
    change(&mut config);
    RunningServer::start(&config).await.unwrap()
}

async fn connect(server: &RunningServer) -> TcpStream {
    TcpStream::connect(server.address()).await.unwrap()
}

/// Reads until the server closes, which it must.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut read))
        .await
        .expect("the server closes")
        .unwrap_or(0);
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_finish_their_head_are_cut_off_and_hold_up_nobody() {
    let directory = TempDir::new().unwrap();
    let server = start(&directory, |config| config.http.header_timeout = Duration::from_millis(200)).await;
    let mut silent = connect(&server).await;
    let mut slow = connect(&server).await;
    slow.write_all(b"GET /health HTTP/1.1\r\nHo").await.unwrap();
    let mut quick = connect(&server).await;
    quick.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut quick).await.ends_with("OK"));
    read_all(&mut silent).await;
    read_all(&mut slow).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_clients_than_connections_are_served_one_after_the_other() {
    let directory = TempDir::new().unwrap();
    let server = start(&directory, |config| config.http.connections_max = 2).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = connect(&server).await;
        client.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        clients.push(client);
    }
    for client in &mut clients {
        assert!(read_all(client).await.ends_with("OK"));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_closes_idle_connections_at_once() {
    let directory = TempDir::new().unwrap();
    let server = start(&directory, |_| ()).await;
    let mut kept_alive = connect(&server).await;
    kept_alive.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut head = [0; 15];
    kept_alive.read_exact(&mut head).await.unwrap();
    let address = server.address();
    let began = Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_and_a_taken_directory_are_readable_failures() {
    let directory = TempDir::new().unwrap();
    let server = start(&directory, |_| ()).await;
    let other = TempDir::new().unwrap();
    let mut taken_port = config(&other);
    taken_port.listen = server.address();
    let failure = RunningServer::start(&taken_port).await.err().expect("the port is taken").to_string();
    assert!(failure.contains("cannot listen on") && failure.contains("--listen"), "{failure}");
    let mut taken_directory = config(&directory);
    taken_directory.listen = "127.0.0.1:0".parse().unwrap();
    let failure =
        RunningServer::start(&taken_directory).await.err().expect("the directory is taken").to_string();
    assert!(failure.contains(&format!("in use by process {}", std::process::id())), "{failure}");
    server.stop().await;
}
