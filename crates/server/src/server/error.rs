//! Why the server cannot start.

use crate::config::ConfigError;
use crate::mail::MailError;
use crate::secret::SecretError;
use keygate_gateway::directory::DirectoryError;
use keygate_store::StoreError;
use std::net::SocketAddr;
use thiserror::Error;

/// Why the server cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The data folder.
    #[error("data folder {path}: {error}")]
    DataDir {
        /// The folder.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The server's secret.
    #[error("secret: {0}")]
    Secret(#[from] SecretError),
    /// The directory.
    #[error("directory: {0}")]
    Directory(#[from] DirectoryError),
    /// Mail.
    #[error("mail: {0}")]
    Mail(#[from] MailError),
    /// An upstream.
    #[error("upstream {id}: {message}")]
    Upstream {
        /// Its id.
        id: String,
        /// What to do.
        message: String,
    },
    /// The console's files.
    #[error("console folder: {0}")]
    Assets(std::io::Error),
    /// An address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The secret is another than the one the store was used with.
    #[error(
        "this store was used with another server.key (or KEYGATE_SECRET_KEY); with this one no API key and no session \
         would work. Give the right one back"
    )]
    WrongSecret,
    /// The threads that serve.
    #[error("cannot start the workers: {0}")]
    Workers(std::io::Error),
    /// There is nobody to make a link for.
    #[error("there is no enabled member {0}")]
    NoMember(String),
}
