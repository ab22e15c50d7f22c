//! Runs the server from start to shutdown: bind, open the store, print the banner, serve, close.
use crate::alerts::{self, AlertSettings};
use crate::banner::{self, Banner};
use crate::config::{Config, Listen};
use crate::domain::Key;
use crate::http::{self, Limits};
use crate::log;
use crate::sourcemaps::turn::Turns;
use crate::store::{AlertPolicy, Store};
use crate::web::State;
use crate::web::auth::Dashboard;
use crate::web::rate::Rate;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::ffi::OsStr;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{self, UnixDatagram};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

/// Serves until SIGTERM or SIGINT. The error is one line for the operator.
pub fn run(config: Config) -> Result<(), String> {
    if config.logs_to_journal {
        log::omit_time();
    }
    // A panic becomes one escaped line, like everything else in the log.
    panic::set_hook(Box::new(|panic| log::line(&format!("bug in obs: {panic}"))));
    let stop = stop_flag().map_err(|e| format!("cannot handle signals: {e}"))?;
    let addresses = resolve(&config.listen)?;
    let dashboard = dashboard(&config, &addresses)?;
    // Bind before opening the database, so that a port in use leaves no file behind.
    let (listeners, bound) =
        bind(&addresses).map_err(|e| format!("cannot listen on {}:{}: {e}", config.listen.host, config.listen.port))?;
    let url = base_url(&config, bound.first());
    let alerts = alert_settings(&config, &url);

    let policy = match alerts {
        Some(_) => AlertPolicy::Issues { rate: config.alert_rate },
        None => AlertPolicy::Never,
    };
    let store = Arc::new(Store::open(&config.database, config.retention, policy)?);
    let mut is_first_start = false;
    let mut generate = || {
        is_first_start = true;
        new_key()
    };
    let keys = match config.keys.is_empty() {
        true => vec![Key { project: String::new(), key: store.setting("ingest_key", &mut generate)? }],
        false => config.keys.clone(),
    };
    let rate = Rate::new(config.rate_limit);
    let state = Arc::new(State {
        store: store.clone(),
        keys,
        turns: Turns::default(),
        rate,
        refused: Default::default(),
        dashboard,
        url: config.url.clone(),
        max_source_maps: config.retention.source_maps,
        verbose: config.verbose,
    });

    let listening = bound.iter().map(|address| format!("http://{address}")).collect::<Vec<_>>().join(" and ");
    banner::print(&Banner { config: &config, state: &state, listening: &listening, url: &url, is_first_start });
    let alerts = alerts.map(|settings| alerts::start(store.clone(), settings, stop.clone()));
    let alerts = alerts.transpose().map_err(|e| format!("cannot start a thread: {e}"))?;
    if let (Some(socket), Some(bound)) = (config.notify_socket, bound.first()) {
        let (host, port) = (config.listen.client_host().to_string(), bound.port());
        let tell = move || http::get(&host, port, "/health").and_then(|_| notify(&socket));
        let tell = move || tell().unwrap_or_else(|e| log::line(&format!("cannot tell systemd that obs is ready: {e}")));
        thread::Builder::new().spawn(tell).map_err(|e| format!("cannot start a thread: {e}"))?;
    }
    let served = http::serve(listeners, state, Limits::default(), stop);
    if let Some(alerts) = alerts {
        alerts.close();
    }
    store.close();
    served.map_err(|e| format!("cannot listen any more: {e}"))
}

/// Runs the alert command once. Returns one line about its exit, as the error if it failed.
pub fn test_alert(config: &Config) -> Result<String, String> {
    let settings = alert_settings(config, &base_url(config, None));
    alerts::test(&settings.ok_or("OBS_ALERT_COMMAND is not set")?)
}

/// Asks a running obs whether it can store events. Returns one line, as the error if it cannot.
pub fn health(Listen { host, port }: &Listen, path: &str) -> Result<String, String> {
    let url = format!("http://{host}:{port}{path}");
    match http::get(host, *port, path) {
        Ok((200, body)) if body.contains(r#""status":"ok""#) => Ok(format!("{url}: ok\n")),
        Ok((200, _)) => Err(format!("{url}: something other than obs answers")),
        Ok((503, _)) => Err(format!("{url}: events cannot be stored (status 503)")),
        Ok((status, _)) => Err(format!("{url}: status {status}")),
        Err(e) => Err(format!("{url}: {e}")),
    }
}

/// Returns `None` if there is no alert command.
fn alert_settings(config: &Config, base_url: &str) -> Option<AlertSettings> {
    let (command, base_url) = (config.alert_command.clone()?, base_url.to_string());
    Some(AlertSettings { command, base_url, period: Duration::from_secs(60) })
}

/// Tells systemd that obs answers (sd_notify(3)). A name that starts with `@` is not a path but an abstract name.
fn notify(socket: &OsStr) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => net::SocketAddr::from_abstract_name(name)?,
        None => net::SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address).map(drop)
}

/// Returns a flag that the first signal sets. A second signal ends the process at once.
fn stop_flag() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 1, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

/// Resolves the listen address. `localhost` is every loopback address of this machine, whatever the resolver says
/// (RFC 6761, 6.3).
fn resolve(Listen { host, port }: &Listen) -> Result<Vec<SocketAddr>, String> {
    if host == "localhost" {
        let has_ipv6 = http::listen((Ipv6Addr::LOCALHOST, 0).into()).is_ok();
        let ipv6 = has_ipv6.then_some((Ipv6Addr::LOCALHOST, *port).into());
        return Ok([(Ipv4Addr::LOCALHOST, *port).into()].into_iter().chain(ipv6).collect());
    }
    let resolved = format!("{host}:{port}").to_socket_addrs();
    let mut addresses: Vec<_> = resolved.map_err(|e| format!("cannot listen on {host}:{port}: {e}"))?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    Ok(addresses)
}

/// Decides who may see the dashboard. An open one beyond loopback has to be asked for.
fn dashboard(config: &Config, addresses: &[SocketAddr]) -> Result<Dashboard, String> {
    let reachable = addresses.iter().any(|address| !address.ip().to_canonical().is_loopback());
    match (&config.password, config.public_dashboard) {
        (Some(password), _) => Ok(Dashboard::Password(password.clone())),
        (None, true) => Ok(Dashboard::Public),
        (None, false) if reachable => Err(format!(
            "other machines can reach {}, and the dashboard has no password: \
             set OBS_DASHBOARD_PASSWORD, or use --public-dashboard to show it to everyone",
            config.listen.host
        )),
        (None, false) => Ok(Dashboard::Local),
    }
}

/// Binds every address. Port 0 is replaced by the free port that the first address gets.
fn bind(addresses: &[SocketAddr]) -> io::Result<(Vec<TcpListener>, Vec<SocketAddr>)> {
    let (mut listeners, mut bound) = (Vec::new(), Vec::new());
    for address in addresses {
        let port = bound.first().map_or(address.port(), SocketAddr::port);
        let listener = http::listen(SocketAddr::new(address.ip(), port))?;
        bound.push(listener.local_addr()?);
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

/// Returns 128 random bits in hex.
fn new_key() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| format!("cannot generate a key: {e}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the URL for clients to use: `OBS_URL`, or the listen address with the port of `bound` if the server is running.
fn base_url(config: &Config, bound: Option<&SocketAddr>) -> String {
    let port = bound.map_or(config.listen.port, SocketAddr::port);
    config.url.clone().unwrap_or_else(|| format!("http://{}:{port}", config.listen.client_host()))
}
