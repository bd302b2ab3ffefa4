//! One at a time for each key: of two who want the same, the second finds what the first has fetched.

use std::hash::{BuildHasher, Hash, RandomState};

use tokio::sync::{Mutex, MutexGuard};

/// Turns at once; two keys that share one wait for each other without need, which is rare among so many.
const TURNS: usize = 1024;

/// Who is at it, by key.
#[derive(Debug)]
pub struct Turns {
    turns: Vec<Mutex<()>>,
    keys: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { turns: (0..TURNS).map(|_| Mutex::default()).collect(), keys: RandomState::new() }
    }
}

impl Turns {
    /// Waits for whoever is at this key; it is held until the guard is dropped.
    pub async fn wait(&self, key: impl Hash) -> MutexGuard<'_, ()> {
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash is as good as another")]
        let place = self.keys.hash_one(key) as usize % TURNS;
        self.turns[place].lock().await
    }
}
