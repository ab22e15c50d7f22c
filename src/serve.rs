//! From a `Config` to a server that runs, and back down in order: bind, open, announce, serve, close.
use crate::alerts::{self, Command, Settings};
use crate::config::{Config, Listen};
use crate::domain::Key;
use crate::http::{self, Limits};
use crate::log;
use crate::store::{AlertPolicy, Retention, Store};
use crate::web::State;
use crate::web::auth::Dashboard;
use crate::web::rate::Rate;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How often a free port is looked for that is free on every address.
const PORT_TRIES: usize = 20;

/// Serves until SIGTERM or SIGINT. The error is one line for the one who started it. `own_variables` are those of the
/// environment that obs has set for itself.
pub fn run(config: Config, own_variables: Vec<&'static str>) -> Result<(), String> {
    // One line, escaped, like all others; what panicked goes on or is answered where it is caught.
    panic::set_hook(Box::new(|panic| log::line(&format!("a fault of obs: {panic}"))));
    let stop = stop_flag().map_err(|e| format!("cannot listen for signals: {e}"))?;
    let addresses = addresses(&config.listen)?;
    let dashboard = dashboard(&config, &addresses)?;
    // The port first: a start that fails for a port in use leaves no file behind.
    let listeners = bind(&addresses, config.listen.host == "localhost")
        .map_err(|e| format!("cannot listen on {}:{}: {e}", config.listen.host, config.listen.port))?;
    let command = config.alert_command.map(|text| Command { text, own_variables });
    let occasions = match command {
        Some(_) => AlertPolicy::Issues { rate: config.alert_rate },
        None => AlertPolicy::Never,
    };
    let store = Store::open(&config.database, config.kept, occasions)?;
    let keys = match config.keys.is_empty() {
        true => vec![Key { project: String::new(), key: store.setting("ingest_key", new_key)? }],
        false => config.keys,
    };
    let rate = Rate::new(config.rate_limit);
    let state = Arc::new(State { store, keys, rate, dashboard, verbose: config.verbose });
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>();
    let addresses = addresses.map_err(|e| format!("cannot tell the port: {e}"))?;
    let place = place(&config.listen, &addresses);
    announce(config.kept, &addresses, &place, &state);
    let start_alerts = |command| {
        let base = config.url.unwrap_or_else(|| format!("http://{place}"));
        log::plain(&format!("  alerts     by OBS_ALERT_COMMAND, with links to {base}"));
        let settings = Settings { command, base, limits: Default::default() };
        alerts::start(state.clone(), settings, stop.clone()).map_err(|e| format!("cannot start a thread: {e}"))
    };
    let alerts = command.map(start_alerts).transpose()?;
    let served = http::serve(listeners, state.clone(), Limits::default(), stop);
    if let Some(alerts) = alerts {
        alerts.close();
    }
    state.store.close();
    served.map_err(|e| format!("cannot listen any more: {e}"))
}

/// Runs the alert command once. What came of it, as a line; the error is one if it was not well.
pub fn test_alert(config: Config) -> Result<String, String> {
    let command = Command { text: config.alert_command.unwrap_or_default(), own_variables: Vec::new() };
    let base = config.url.unwrap_or_else(|| format!("http://{}", place(&config.listen, &[])));
    alerts::test(&Settings { command, base, limits: Default::default() })
}

/// Set by the first signal. A second one ends the process at once.
fn stop_flag() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

/// All that a host name stands for. `localhost` is both loopbacks whatever a resolver says (RFC 6761, 6.3).
fn addresses(listen: &Listen) -> Result<Vec<SocketAddr>, String> {
    let Listen { host, port } = listen;
    if host == "localhost" {
        return Ok(vec![(Ipv4Addr::LOCALHOST, *port).into(), (Ipv6Addr::LOCALHOST, *port).into()]);
    }
    let found =
        format!("{host}:{port}").to_socket_addrs().map_err(|e| format!("cannot listen on {host}:{port}: {e}"))?;
    let mut addresses: Vec<_> = found.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    Ok(addresses)
}

fn dashboard(config: &Config, addresses: &[SocketAddr]) -> Result<Dashboard, String> {
    let reachable = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
    match (&config.password, config.public_dashboard) {
        (Some(password), _) => Ok(Dashboard::Password(password.clone())),
        (None, true) => Ok(Dashboard::Public),
        (None, false) if reachable => Err(format!(
            "{} can be reached from other machines and the dashboard has no password: \
             set OBS_DASHBOARD_PASSWORD, or pass --public-dashboard to show it to everyone",
            config.listen.host
        )),
        (None, false) => Ok(Dashboard::Local),
    }
}

/// Listens on every address, with port 0 on the same free port everywhere. With `lenient`, those that this machine does not
/// have are left out, as long as there is one.
fn bind(addresses: &[SocketAddr], lenient: bool) -> io::Result<Vec<TcpListener>> {
    let mut tries = PORT_TRIES;
    loop {
        tries -= 1;
        match bind_once(addresses, lenient) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && addresses.iter().any(|a| a.port() == 0) && tries > 0 => {}
            result => return result,
        }
    }
}

fn bind_once(addresses: &[SocketAddr], lenient: bool) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let port = match listeners.first() {
            Some(first) => first.local_addr()?.port(),
            None => address.port(),
        };
        match http::listen(SocketAddr::new(address.ip(), port)) {
            Ok(listener) => listeners.push(listener),
            Err(e)
                if lenient && e.kind() != io::ErrorKind::AddrInUse && e.kind() != io::ErrorKind::PermissionDenied =>
            {
                missing = e;
            }
            Err(e) => return Err(e),
        }
    }
    if listeners.is_empty() { Err(missing) } else { Ok(listeners) }
}

fn words(kept: Retention) -> String {
    let events = format!("{} events at most", kept.events);
    match kept.days {
        Some(1) => format!("{events}, each for a day"),
        Some(days) => format!("{events}, each for {days} days"),
        None => events,
    }
}

/// 128 random bits in hex.
fn new_key() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| format!("no random numbers to make a key of: {e}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Host and port as others are to use them, the port as it is once obs listens.
fn place(listen: &Listen, addresses: &[SocketAddr]) -> String {
    // A wildcard address is no place to send to.
    let host = if ["0.0.0.0", "[::]"].contains(&listen.host.as_str()) { "localhost" } else { &listen.host };
    format!("{host}:{}", addresses.first().map_or(listen.port, SocketAddr::port))
}

/// Tells the operator all that is needed to go on: the only place besides the empty dashboard that shows a key.
fn announce(kept: Retention, addresses: &[SocketAddr], place: &str, state: &State) {
    let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
    log::plain(&format!("obs {} listening on {}", env!("CARGO_PKG_VERSION"), urls.join(" and ")));
    let guard = match state.dashboard {
        Dashboard::Password(_) => "with a password",
        Dashboard::Local => "open, to this machine alone",
        Dashboard::Public => "open to everyone",
    };
    log::plain(&format!("  dashboard  http://{place} ({guard})"));
    for Key { project, key } in &state.keys {
        let project = if project.is_empty() { String::new() } else { format!(" (project {project})") };
        log::plain(&format!("  DSN        http://{key}@{place}{project}"));
    }
    log::plain(&format!("  database   {}", state.store.path().display()));
    log::plain(&format!("  kept       {}", words(kept)));
}
