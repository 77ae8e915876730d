//! Starts and stops everything, and wires store and gateway together.

mod browser;
mod descriptors;
mod error;
mod opened;
mod region;
mod router;
mod upstreams;

pub use error::StartError;
pub(crate) use opened::{Opened, account_create};

use crate::assets::Assets;
use crate::config::{Config, RegionConfig};
use crate::console::{self, Attempts, ChangeRunner, Console, Origins, ProxyCheck};
use crate::health;
use crate::last_use;
use crate::limits::Limits;
use crate::listen::{Bounds, Service, bound_unsent};
use crate::log;
use crate::mail::Mailer;
use crate::metrics::{self, Metrics};
use crate::problem::{Finish, HeaderLimit};
use crate::secret::{ServerSecret, random_token};
use crate::stop::{self, Stop, Stopper};
use crate::store_watch;
use crate::usage::{self, Book, Keep, Keeper};
use crate::worker::{Served, Workers};
use axum::Router;
use browser::{connections, cookie, own_origins};
use keygate_contract::{Email, IpRule, Region, RegionId};
use keygate_gateway::context::Contexts;
use keygate_gateway::directory::Directory;
use keygate_gateway::ended::EndedCalls;
use keygate_gateway::memory::MemoryBudget;
use keygate_gateway::{Gateway, GatewayOptions, RegionAddress, door};
use keygate_store::{Store, UsageStore, now_ms};
use region::region;
use router::{around, console_router, gateway_router};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use upstreams::upstreams;

/// The minimum time for a stop to write what is left, after the last call has ended.
const WRITE_AT_STOP: Duration = Duration::from_secs(5);

/// A server that runs.
pub struct Running {
    store: Store,
    usage: UsageStore,
    secret: ServerSecret,
    console_url: String,
    gateways: Vec<(RegionId, String)>,
    is_new: bool,
    workers: Workers,
    directory: Arc<Directory>,
    /// Each records what calls leave behind, until it is stopped.
    keepers: Vec<(Stopper, JoinHandle<()>)>,
    /// How long a stop may take.
    stop_within: Duration,
    admin: Option<(SocketAddr, JoinHandle<()>)>,
}

/// Starts the server: store, directory, gateway, console, and a listener for each region.
///
/// # Errors
/// [`StartError`], with what to do about it. Nothing keeps running then.
pub async fn start(config: Config) -> Result<Running, StartError> {
    // Everything that can be refused is refused before the store has anything in it.
    upstreams(&config)?;
    let mailer = mailer(&config)?;
    let assets = Assets::load(config.console_dir.as_deref()).map_err(StartError::Assets)?;
    let bound = bind(&config).await?;
    let admin = bind_admin(&config).await?;
    let regions: Vec<Region> = bound.iter().map(|b| region(&b.config, &b.url, config.usage.told())).collect();
    let console_url = config.public_url.clone().unwrap_or_else(|| own_url(bound[0].address));

    let Opened { store, secret, is_new } = Opened::open_to_serve(&config).await?;
    log::redact(&config, &secret.to_hex());
    opened::accounts_ensure(&store, &config).await?;
    let (usage_store, writer) = UsageStore::open(&config.usage_url()).await?;
    let directory = Arc::new(Directory::new(store.directory_content().await?)?);

    let (key_hasher, signer) = (secret.key_hasher(), secret.temporary_key_signer());
    let catalogue = Arc::new(config.catalogue());
    let limits = Limits::load(&store, &catalogue).await?;
    let addresses: Vec<RegionAddress> = bound
        .iter()
        .map(|b| RegionAddress {
            id: b.config.id.clone(),
            url: b.url.clone(),
            workspace_domain: b.config.workspace_domain.clone(),
            temporary_keys: b.config.features.temporary_keys,
        })
        .collect();
    let ended: Vec<Arc<EndedCalls>> =
        (0..config.workers).map(|_| Arc::new(EndedCalls::new(&catalogue))).collect();
    let contexts: Arc<Contexts> = Arc::default();
    let memory = Arc::new(MemoryBudget::new(
        config.limits.body_memory,
        config.limits.body_bytes,
        config.timeouts.gateway.body,
    ));
    let gateway = |ended: &Arc<EndedCalls>| -> Result<Arc<Gateway>, StartError> {
        let options = GatewayOptions {
            regions: addresses.clone(),
            upstreams: upstreams(&config)?,
            body_limit: config.limits.body_bytes,
            header_limit: config.limits.header_bytes,
            timeouts: config.timeouts.gateway,
            limiter: Arc::clone(&limits.limiter),
            clock: limits.clock,
            contexts: Arc::clone(&contexts),
            calls_per_key: config.limits.calls_per_key,
            memory: Arc::clone(&memory),
            ended: Arc::clone(ended),
        };
        let (catalogue, directory) = (Arc::clone(&catalogue), Arc::clone(&directory));
        Ok(Arc::new(Gateway::new(catalogue, directory, key_hasher.clone(), signer.clone(), options)))
    };
    let gateways = ended.iter().map(gateway).collect::<Result<Vec<_>, _>>()?;
    let console = Console::new(console::Parts {
        changes: ChangeRunner::new(store.clone(), Arc::clone(&directory)),
        store: store.clone(),
        secret: secret.clone(),
        key_hasher: key_hasher.clone(),
        temporary_key_signer: signer.clone(),
        mailer,
        catalogue: Arc::clone(&catalogue),
        limiter: Arc::clone(&limits.limiter),
        clock: limits.clock,
        usage: usage_store.clone(),
        attempts: Attempts::default(),
        memory: Arc::clone(&memory),
        regions: regions.clone(),
        cookie: cookie(&config, &console_url),
        origins: Origins::new(&own_origins(&config, &console_url), &config.console_origins),
        proxy: ProxyCheck::new(!config.trusted_proxies.is_empty(), &console_url),
    });
    let finish = Finish { limit: HeaderLimit(config.limits.header_bytes), log: Arc::default() };
    let health = |bound: &Bound| health::router(store.clone(), usage_store.clone(), bound.config.id.clone());
    let assets = assets.connecting_to(&connections(&regions));
    let mut console = Some((console, assets));
    let routers: Vec<Router> = bound
        .iter()
        .map(|bound| {
            // The first listener has the console, and no other.
            let router = match console.take() {
                Some((console, assets)) => console_router(console, assets, health(bound)),
                None => gateway_router(health(bound)),
            };
            around(router, &console_url, finish.clone())
        })
        .collect();

    let connections_each = descriptors::connections(&config);
    let places: Vec<Arc<Semaphore>> =
        bound.iter().map(|_| Arc::new(Semaphore::new(connections_each))).collect();
    let bounds = Bounds {
        header_bytes: config.limits.header_bytes,
        header: config.timeouts.header,
        write: config.timeouts.write,
    };
    let trusted_proxies: Arc<[IpRule]> = config.trusted_proxies.as_slice().into();
    let serve = |gateway: Arc<Gateway>| -> Result<Served, StartError> {
        bound
            .iter()
            .enumerate()
            .map(|(index, bound)| {
                let service = Service {
                    region: bound.config.id.clone(),
                    gateway: Arc::clone(&gateway),
                    router: routers[index].clone(),
                    trusted_proxies: Arc::clone(&trusted_proxies),
                    bounds,
                    places: Arc::clone(&places[index]),
                };
                Ok((bound.listener.try_clone().map_err(|error| bound.error(error))?, service))
            })
            .collect()
    };
    let served = gateways.into_iter().map(serve).collect::<Result<Vec<_>, _>>()?;
    let workers = Workers::start(served, config.timeouts.stop).map_err(StartError::Workers)?;
    for bound in &bound {
        tracing::info!(region.id = %bound.config.id, address = %bound.address, "listening");
    }
    let write_health = [store.write_health().clone(), usage_store.write_health().clone()];
    let (metrics, exposed) =
        Metrics::new(&catalogue, upstreams(&config)?.ids(), &ended, &memory, &write_health);
    let admin = admin.map(|listener| {
        tracing::info!(address = %listener.address(), "metrics");
        (listener.address(), listener.serve(exposed, bounds))
    });
    let book = Book::new(writer, &catalogue);
    let keep = Keep { retention: config.usage.retention(), log_bytes: config.usage.log_bytes };
    let keeper_of_usage = Keeper::new(book, ended, metrics);
    let gateways = addresses.into_iter().map(|region| (region.id, openai_url(&region.url))).collect();
    let keeper = |keep: &dyn Fn(Stop) -> JoinHandle<()>| {
        let (stopper, stop) = stop::stop();
        (stopper, keep(stop))
    };
    let mut keepers = vec![
        keeper(&|stop| tokio::spawn(limits.clone().keep(stop))),
        keeper(&|stop| tokio::spawn(usage::clean(usage_store.clone(), keep, stop))),
        keeper(&|stop| tokio::spawn(last_use::keep(Arc::clone(&directory), store.clone(), stop))),
        keeper(&|stop| tokio::spawn(store_watch::watch(store.clone(), usage_store.clone(), stop))),
    ];
    let (stopper, stop) = stop::stop();
    keepers.push((stopper, tokio::spawn(keeper_of_usage.keep(stop))));
    Ok(Running {
        store,
        usage: usage_store,
        secret,
        console_url,
        gateways,
        is_new,
        workers,
        directory,
        keepers,
        stop_within: config.timeouts.stop,
        admin,
    })
}

/// Checks what [`start`] would refuse, without a store or a listener.
///
/// # Errors
/// [`StartError`].
pub fn check(config: &Config) -> Result<(), StartError> {
    upstreams(config)?;
    mailer(config)?;
    Assets::load(config.console_dir.as_deref()).map_err(StartError::Assets)?;
    Ok(())
}

/// A new sign-in link for a server that may run elsewhere on this store.
///
/// # Errors
/// [`StartError`], also when there is no such member.
pub async fn sign_in_link(config: &Config, email: Option<&Email>) -> Result<String, StartError> {
    let opened = Opened::open(config).await?;
    let url = config.public_url.clone().unwrap_or_else(|| own_url(config.regions[0].listen));
    let link = make_link(&opened.store, &opened.secret, &url, email).await;
    opened.store.close().await;
    link
}

impl Running {
    /// Where browsers reach the console.
    pub fn console_url(&self) -> &str {
        &self.console_url
    }

    /// Each region's base URL for OpenAI clients.
    pub fn gateways(&self) -> &[(RegionId, String)] {
        &self.gateways
    }

    /// Where metrics are told, if anywhere.
    pub fn metrics_url(&self) -> Option<String> {
        self.admin.as_ref().map(|(address, _)| format!("{}/metrics", own_url(*address)))
    }

    /// Whether the store was empty and the owner was created at this start.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The store it runs on.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What was called.
    pub fn usage(&self) -> &UsageStore {
        &self.usage
    }

    /// The gateway's directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A link that signs in once, for the owner unless told.
    ///
    /// # Errors
    /// [`StartError::NoMember`] or [`StartError::Store`].
    pub async fn sign_in_link(&self, email: Option<&Email>) -> Result<String, StartError> {
        make_link(&self.store, &self.secret, &self.console_url, email).await
    }

    /// Waits for the signal to stop: an interrupt, or a request to end. A second interrupt ends the process at once.
    pub async fn stop_signal() {
        Self::signal().await;
        tokio::spawn(async {
            Self::signal().await;
            tracing::warn!("stopped without waiting for the calls under way");
            std::process::exit(130);
        });
    }

    async fn signal() {
        let interrupt = tokio::signal::ctrl_c();
        #[cfg(unix)]
        {
            let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .expect("the handler of SIGTERM can be set");
            tokio::select! {
                _ = interrupt => {}
                _ = end.recv() => {}
            }
        }
        #[cfg(not(unix))]
        drop(interrupt.await);
    }

    /// Accepts no more connections, lets in-flight calls finish, writes what is left, and closes the store. If the
    /// store cannot be written, retries until `timeouts.stop` has passed, but at least for a few seconds after the last
    /// call.
    pub async fn stop(self) {
        tracing::info!("stopping");
        let until = Instant::now() + self.stop_within;
        self.workers.stop().await;
        let until = until.max(Instant::now() + WRITE_AT_STOP);
        let (stoppers, kept): (Vec<_>, Vec<_>) = self.keepers.into_iter().unzip();
        for stopper in stoppers {
            stopper.stop(until);
        }
        for kept in kept {
            if let Err(error) = kept.await {
                tracing::error!(%error, "what calls left behind was not written down");
            }
        }
        if let Some((_, serving)) = self.admin {
            serving.abort();
        }
        self.usage.close().await;
        self.store.close().await;
        tracing::info!("stopped");
    }
}

fn mailer(config: &Config) -> Result<Mailer, StartError> {
    Ok(Mailer::new(config.smtp.url.as_ref(), &config.smtp.from, &config.data_dir.join("outbox"))?)
}

async fn make_link(
    store: &Store,
    secret: &ServerSecret,
    url: &str,
    email: Option<&Email>,
) -> Result<String, StartError> {
    let email = match email {
        Some(email) => email.clone(),
        None => {
            let owner = store.first_owner().await?.ok_or_else(|| StartError::NoMember("(owner)".into()))?;
            Email::parse(&owner.email).map_err(|_| StartError::NoMember(owner.email))?
        }
    };
    let token = random_token();
    if !store.link_create(&email, &secret.link_hash(&token), now_ms()).await? {
        return Err(StartError::NoMember(email.to_string()));
    }
    Ok(format!("{url}/sign-in?token={}", token.as_str()))
}

/// A region's listener, and where its applications reach it.
struct Bound {
    config: RegionConfig,
    listener: std::net::TcpListener,
    address: SocketAddr,
    url: String,
}

impl Bound {
    fn error(&self, error: std::io::Error) -> StartError {
        StartError::Listen { address: self.address, error }
    }
}

/// All or none: a region that cannot be served must not look as if it were.
async fn bind(config: &Config) -> Result<Vec<Bound>, StartError> {
    let mut bound = Vec::with_capacity(config.regions.len());
    // The first region is on the console's own listener, so it is reached where the console is.
    let mut console_url = config.public_url.clone();
    for config in &config.regions {
        let fallback = console_url.take();
        let error = |error| StartError::Listen { address: config.listen, error };
        let listener = TcpListener::bind(config.listen).await.map_err(error)?;
        bound_unsent(&listener);
        let address = listener.local_addr().map_err(error)?;
        let listener = listener.into_std().map_err(error)?;
        let url = config.public_url.clone().or(fallback).unwrap_or_else(|| own_url(address));
        bound.push(Bound { config: config.clone(), listener, address, url });
    }
    Ok(bound)
}

/// The listener of those who operate the server, if there is to be one.
async fn bind_admin(config: &Config) -> Result<Option<metrics::Listener>, StartError> {
    let Some(address) = config.admin.listen else { return Ok(None) };
    let bound = metrics::Listener::bind(address).await;
    bound.map(Some).map_err(|error| StartError::Listen { address, error })
}

/// The URL of a listener as seen from this machine.
fn own_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

fn openai_url(url: &str) -> String {
    format!("{url}{}", door::OPENAI)
}
