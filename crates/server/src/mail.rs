//! Mail: over SMTP, or into the folder `outbox` of the data folder for a set-up without a mail server.

use keygate_contract::Email;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why mail cannot be set up or sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// `smtp.url` is not one.
    #[error("smtp.url must be like smtps://user:password@mail.example.com: {0}")]
    Url(lettre::transport::smtp::Error),
    /// `smtp.from` is not a mailbox.
    #[error("smtp.from must be like `Keygate <keygate@example.com>`: {0}")]
    From(lettre::address::AddressError),
    /// The outbox cannot be made.
    #[error("the outbox: {0}")]
    Outbox(std::io::Error),
    /// A message cannot be built.
    #[error("message: {0}")]
    Message(String),
    /// A message cannot be delivered.
    #[error("delivery: {0}")]
    Delivery(String),
}

/// Sends mail.
#[derive(Clone)]
pub(crate) struct Mailer {
    from: Mailbox,
    transport: Transport,
}

#[derive(Clone)]
enum Transport {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Outbox { folder: PathBuf, files: AsyncFileTransport<Tokio1Executor> },
}

impl Mailer {
    /// Over SMTP when there is a URL, else into `outbox`.
    pub(crate) fn new(url: Option<&SecretString>, from: &str, outbox: &Path) -> Result<Self, MailError> {
        let from = from.parse().map_err(MailError::From)?;
        let transport = match url {
            Some(url) => {
                let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
                Transport::Smtp(Box::new(transport.map_err(MailError::Url)?.build()))
            }
            None => Transport::Outbox { folder: outbox.to_owned(), files: AsyncFileTransport::new(outbox) },
        };
        Ok(Self { from, transport })
    }

    /// Sends a code to sign in with.
    pub(crate) async fn send_code(&self, to: &Email, code: &str) -> Result<(), MailError> {
        let to: Mailbox = to.as_str().parse().map_err(MailError::From)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            // Not here: servers keep subjects in their logs.
            .subject("Your code to sign in to Keygate")
            .header(ContentType::TEXT_PLAIN)
            .body(format!(
                "Your code to sign in to Keygate:\r\n\r\n    {code}\r\n\r\nIt works once, within 10 minutes, in the \
                 browser that requested it. If you did not request it, ignore this mail: nobody can sign in without \
                 the code.\r\n"
            ))
            .map_err(|e| MailError::Message(e.to_string()))?;
        match &self.transport {
            Transport::Smtp(smtp) => {
                smtp.send(message).await.map(drop).map_err(|e| MailError::Delivery(e.to_string()))
            }
            Transport::Outbox { folder, files } => {
                make_private_folder(folder).map_err(MailError::Outbox)?;
                files.send(message).await.map(drop).map_err(|e| MailError::Delivery(e.to_string()))
            }
        }
    }
}

/// A folder that only its owner may look into; one that is there is left as it is.
pub(crate) fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
