//! RegisterUsage, and the keys that sign what it answers.

use souk_core::catalog::{Marketplace, ProductType, PublicKeyVersion};
use souk_core::ids::SandboxName;
use souk_core::metering::registration::register;
use souk_core::metering::{Program, Registration};
use souk_core::time::Timestamp;

use super::Souk;
use crate::error::AppError;
use crate::partition::Turn;
use crate::signing::token::{self, Registered};
use crate::signing::{PrivateKey, SigningFailed};

/// A public key that verifies what RegisterUsage answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its version.
    pub version: u32,
    /// The key as SubjectPublicKeyInfo in PEM.
    pub pem: String,
    /// When another version takes its place; none: never.
    pub rotated_at: Option<Timestamp>,
}

impl Souk {
    /// Registers a program, durably at its first call; tells whether its buyer is entitled, or was at that call.
    pub async fn register_usage(&self, name: &SandboxName, program: Program) -> Result<bool, AppError> {
        let (target, payer) = (name.clone(), program.payer);
        let job = move |turn: &mut Turn<'_>| {
            let (sandbox, now) = turn.at_its_time(&target)?;
            match register(sandbox, program, now) {
                Registration::Known => Ok(true),
                Registration::First(event) => turn.apply(&target, vec![event]).map(|()| true),
                Registration::NotEntitled => Ok(false),
            }
        };
        self.partition(name, payer)?.run(job).await
    }

    /// The token of a registration, signed by a version of the key.
    pub async fn sign_registration(
        &self,
        version: &PublicKeyVersion,
        registered: Registered,
    ) -> Result<String, AppError> {
        self.with_key(version, move |key| token::sign(&registered, key)).await
    }

    /// The public keys of a sandbox that may need them: it sells a container product, or brings keys of its own. So
    /// the data folder's key is not made for others.
    pub async fn public_keys(&self, market: &Marketplace) -> Result<Vec<PublicKey>, AppError> {
        let sells = market.products().values().any(|p| p.product_type == ProductType::Container);
        let brings = market.public_keys.iter().any(|version| version.private_key.is_some());
        let mut keys = Vec::new();
        if sells || brings {
            for version in market.public_keys.iter() {
                let pem = self.with_key(version, PrivateKey::public_pem).await?;
                keys.push(PublicKey { version: version.version, pem, rotated_at: version.rotated_at });
            }
        }
        Ok(keys)
    }

    /// Works with a version's key, on a thread for slow work.
    async fn with_key<T: Send + 'static>(
        &self,
        version: &PublicKeyVersion,
        work: impl FnOnce(&PrivateKey) -> Result<T, SigningFailed> + Send + 'static,
    ) -> Result<T, AppError> {
        let folder_key = match version.private_key {
            Some(_) => None,
            None => Some(self.folder_key.get().await?),
        };
        let version = version.clone();
        let work = tokio::task::spawn_blocking(move || {
            let done = match (&folder_key, &version.private_key) {
                (Some(key), _) => work(key),
                (None, pem) => {
                    let key = PrivateKey::from_pem(pem.as_deref().unwrap_or_default());
                    work(
                        &key.map_err(|refused| format!("version {} of the key: {refused}", version.version))?,
                    )
                }
            };
            done.map_err(|failed| failed.to_string())
        });
        match work.await {
            Ok(done) => done.map_err(AppError::Unavailable),
            Err(failed) => Err(AppError::Unavailable(failed.to_string())),
        }
    }
}
