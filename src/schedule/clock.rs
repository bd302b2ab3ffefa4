//! The clock of schedules: the machine's, or one that tests wind.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The longest sleep in one piece. A machine that was suspended has lost the time from its sleeps, and not from its clock.
const NAP: Duration = Duration::from_secs(30);

/// What time it is, and waiting for another.
#[derive(Clone, Debug)]
pub enum Clock {
    Machine,
    #[cfg(test)]
    Wound(std::sync::Arc<tests::Wound>),
}

impl Clock {
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::Machine => Utc::now(),
            #[cfg(test)]
            Self::Wound(wound) => wound.now(),
        }
    }

    /// Waits for so long.
    pub async fn sleep(&self, span: Duration) {
        match self {
            Self::Machine => tokio::time::sleep(span).await,
            #[cfg(test)]
            Self::Wound(wound) => wound.sleep(span).await,
        }
    }

    /// Waits until it is that time by the clock on the wall.
    pub async fn sleep_until(&self, moment: DateTime<Utc>) {
        while let Ok(left) = (moment - self.now()).to_std() {
            if left.is_zero() {
                return;
            }
            self.sleep(left.min(NAP)).await;
        }
    }

    /// Does the work unless it takes longer; `None` when it does.
    pub async fn timeout<T>(&self, span: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep(span) => None,
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use tokio::sync::oneshot;

    use super::*;

    /// A clock that goes on when all that could be done at its time is done.
    #[derive(Debug)]
    pub struct Wound(Mutex<Hands>);

    #[derive(Debug)]
    struct Hands {
        now: DateTime<Utc>,
        /// Those who sleep, by the time at which they are woken, in the order in which they lay down.
        sleepers: BTreeMap<(DateTime<Utc>, u64), oneshot::Sender<()>>,
        count: u64,
    }

    /// Rounds in which tasks that wake each other come to rest.
    const ROUNDS: usize = 200;

    impl Wound {
        fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub fn now(&self) -> DateTime<Utc> {
            self.hands().now
        }

        pub async fn sleep(&self, span: Duration) {
            let (wake, woken) = oneshot::channel();
            {
                let mut hands = self.hands();
                hands.count += 1;
                let place = (hands.now + span, hands.count);
                hands.sleepers.insert(place, wake);
            }
            let _ = woken.await;
        }

        /// Wakes those who sleep longest until the next time at which anybody wakes; `false` when nobody sleeps.
        fn go_on(&self) -> bool {
            let mut hands = self.hands();
            // Whoever was dropped in his sleep wants no time to pass for him.
            hands.sleepers.retain(|_, wake| !wake.is_closed());
            let Some(((at, _), wake)) = hands.sleepers.pop_first() else { return false };
            hands.now = hands.now.max(at);
            let _ = wake.send(());
            true
        }
    }

    /// A clock that shows this time.
    pub fn wound(at: &str) -> Clock {
        let now = at.parse().expect("a moment");
        Clock::Wound(Arc::new(Wound(Mutex::new(Hands { now, sleepers: BTreeMap::new(), count: 0 }))))
    }

    /// Does the work on a runtime of one thread, while the clock goes on whenever nothing else does.
    pub fn driven<T>(clock: &Clock, work: impl Future<Output = T>) -> T {
        let Clock::Wound(wound) = clock else { panic!("the machine's clock goes by itself") };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            tokio::select! {
                biased;
                done = work => done,
                () = async {
                    loop {
                        for _ in 0..ROUNDS {
                            tokio::task::yield_now().await;
                        }
                        assert!(wound.go_on(), "everybody waits, and nobody for the clock");
                    }
                } => unreachable!(),
            }
        })
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_times() {
        let clock = wound("2026-11-22T10:00:00Z");
        let order = Mutex::new(Vec::new());
        let sleeper = async |name: &'static str, seconds: u64| {
            clock.sleep(Duration::from_secs(seconds)).await;
            order.lock().expect("a lock").push((name, clock.now().format("%M:%S").to_string()));
        };
        driven(&clock, async { tokio::join!(sleeper("late", 90), sleeper("early", 5), sleeper("between", 60)) });
        let order = order.into_inner().expect("a lock");
        let told: Vec<(&str, &str)> = order.iter().map(|(name, at)| (*name, at.as_str())).collect();
        assert_eq!(told, [("early", "00:05"), ("between", "01:00"), ("late", "01:30")]);
    }

    #[test]
    fn work_that_takes_too_long_is_left() {
        let clock = wound("2026-11-22T10:00:00Z");
        driven(&clock, async {
            assert_eq!(clock.timeout(Duration::from_secs(5), std::future::pending::<()>()).await, None);
            let quick = clock.timeout(Duration::from_secs(5), clock.sleep(Duration::from_secs(4)));
            assert_eq!(quick.await, Some(()));
            assert_eq!(clock.now().to_rfc3339(), "2026-11-22T10:00:09+00:00");
        });
    }
}
