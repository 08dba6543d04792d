//! Names and passwords of clients.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// How many pairs of names and passwords are remembered.
const REMEMBERED: usize = 100;

/// A hash that no password is compared with, for names that nobody has: they take as long as others to be refused.
const NOBODY: &str = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";

/// Checks passwords. Comparing one takes some 70 ms, so those that were right are remembered while the process runs.
#[derive(Default)]
pub(super) struct Users {
    /// Digests of hashes with the passwords that are right for them.
    right: Mutex<HashSet<[u8; 32]>>,
    /// One password is compared at a time, so that guessing takes no more than one processor.
    comparing: Arc<tokio::sync::Mutex<()>>,
}

impl Users {
    /// Whether an `Authorization` has the name and the password of one of `users`.
    pub(super) async fn allow(&self, users: &HashMap<String, String>, authorization: &str) -> bool {
        let Some((name, password)) = credentials(authorization) else {
            return false;
        };
        let known = users.get(&name);
        let hash = known.map_or(NOBODY, String::as_str).to_owned();
        let digest: [u8; 32] = Sha256::new()
            .chain_update(&hash)
            .chain_update([0])
            .chain_update(&password)
            .finalize()
            .into();
        let right = || self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some() && right().contains(&digest) {
            return true;
        }
        let turn = Arc::clone(&self.comparing).lock_owned().await;
        let compared = tokio::task::spawn_blocking(move || {
            let is_right = bcrypt::verify(password, &hash).unwrap_or(false);
            drop(turn);
            is_right
        });
        let is_right = compared.await.unwrap_or(false) && known.is_some();
        if is_right {
            let mut right = right();
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(digest);
        }
        is_right
    }
}

/// The name and the password of basic authentication.
fn credentials(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
