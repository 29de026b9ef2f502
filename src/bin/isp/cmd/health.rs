//! `isp health`: whether the server that runs here is ready, for the health check of a container or a service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;

/// How long the server may take; it looks at its database within a second.
const DEADLINE: Duration = Duration::from_secs(5);
/// More than this is no answer of it.
const LONGEST: u64 = 16 * 1024;

pub(crate) async fn run(ctx: &Context) -> anyhow::Result<Exit> {
    let address = reachable(ctx.config.serve.listen);
    let fails = |reason: String| Failure::Unhealthy { address: address.to_string(), reason };
    let answer = tokio::time::timeout(DEADLINE, ask(address)).await;
    let answer = answer.map_err(|_| fails("timed out".to_owned()))?.map_err(|error| fails(error.kind().to_string()))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    // Another program may listen there, and answer 200 to whatever it is asked.
    match (head.split(' ').nth(1), failed(body)) {
        (Some("200"), Some(failed)) if failed.is_empty() => {
            output::print(body)?;
            Ok(Exit::Done)
        }
        (Some("200" | "503"), Some(failed)) => Err(fails(failed.join(", ")).into()),
        _ => Err(fails("no answer of isp serve".to_owned()).into()),
    }
}

/// Where a server that listens on an address is reached from the machine that it runs on.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let here = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(here, listen.port())
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("GET /readyz?verbose HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The checks that failed, of a whole answer of `isp serve`.
fn failed(body: &str) -> Option<Vec<&str>> {
    let checks = body.strip_suffix("ready\n").map(|checks| checks.strip_suffix("not ").unwrap_or(checks))?;
    checks.lines().map(|line| line.strip_prefix('[')).collect::<Option<Vec<_>>>()?;
    Some(checks.lines().filter_map(|line| line.strip_prefix("[failed] ")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        let at = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(at("0.0.0.0:8480"), "127.0.0.1:8480");
        assert_eq!(at("[::]:8480"), "[::1]:8480");
        assert_eq!(at("10.9.0.2:8480"), "10.9.0.2:8480");
    }

    #[test]
    fn what_failed_is_named() {
        assert_eq!(
            failed("[ok] migrations\n[failed] database\n[failed] running\nnot ready\n"),
            Some(vec!["database", "running"])
        );
        assert_eq!(failed("[ok] migrations\n[ok] database\nready\n"), Some(vec![]));
    }

    #[test]
    fn another_program_on_the_port_is_not_isp_serve() {
        for body in ["", "<html>welcome</html>", "[ok] database\n", "[ok] data", "<p>\nready\n", "yyyyyyyy"] {
            assert_eq!(failed(body), None, "{body}");
        }
    }
}
