//! The `keygate` command.

use clap::{Parser, Subcommand};
use keygate::config::Config;
use keygate::demo::{self, Demo};
use keygate::log;
use keygate::server::{self, Running};
use keygate_contract::Email;
use std::path::PathBuf;
use std::process::ExitCode;

/// Stable under many short allocations on several threads, and returns memory to the system after it has been unused
/// for ten seconds: see `docs/adr/0017-memory-and-slow-peers.md`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Self-hosted console and gateway for model APIs.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the console, its API and the gateway of each region.
    Serve {
        /// Configuration file; without one the built-in defaults hold.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Print a sign-in link for the owner even if the store is not new.
        #[arg(long)]
        sign_in_link: bool,
    },
    /// Check a configuration file and exit.
    Check {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Print a link that signs in once, within 15 minutes.
    SignInLink {
        /// Configuration file; must be the one of the server.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Whose link; the owner's unless told.
        #[arg(long)]
        email: Option<String>,
    },
    /// Fill an empty data folder with a made-up account and its calls, for trying out.
    DemoData {
        /// Configuration file; must be the one of the server.
        #[arg(long)]
        config: Option<PathBuf>,
        /// How many days back the calls begin. Twice the console's usual range, which is compared with the one before.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=400))]
        days: u32,
        /// How many calls there were.
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
        calls: u64,
        /// The same seed makes up the same calls.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Print the OpenAPI description of the console API.
    Openapi,
}

// The work is done by the workers, on threads of their own; this one only waits.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log::init();
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Each message holds its cause.
            eprintln!("keygate: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "these lines are the answer of the command")]
async fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Serve { config, sign_in_link } => {
            let config = Config::load(config.as_deref())?;
            let running = server::start(config).await?;
            // Before the first line that says the server is up, so that from then on a signal stops it cleanly.
            let stop = tokio::spawn(Running::stop_signal());
            tokio::task::yield_now().await;
            println!("Console: {}", running.console_url());
            if sign_in_link || running.is_new() {
                println!("Sign in: {}", running.sign_in_link(None).await?);
            }
            for (region, url) in running.gateways() {
                println!("Gateway: {url} ({region})");
            }
            if let Some(url) = running.metrics_url() {
                println!("Metrics: {url}");
            }
            stop.await?;
            running.stop().await;
        }
        Command::Check { config } => {
            server::check(&Config::load(Some(&config))?)?;
            println!("{} is good.", config.display());
        }
        Command::SignInLink { config, email } => {
            let config = Config::load(config.as_deref())?;
            let email = email.map(|e| Email::parse(&e)).transpose()?;
            println!("Sign in: {}", server::sign_in_link(&config, email.as_ref()).await?);
        }
        Command::DemoData { config, days, calls, seed } => {
            let config = Config::load(config.as_deref())?;
            let demo = Demo { days, calls, seed };
            demo::fill(&config, demo, |made| eprintln!("{made} of {calls} calls")).await?;
            println!(
                "{} is filled with made-up data. `keygate serve --sign-in-link` shows it.",
                config.data_dir.display()
            );
        }
        Command::Openapi => println!("{}", keygate::openapi().to_pretty_json()?),
    }
    Ok(())
}
