//! The world that runs are carried out in: the lake's engine and saved queries, its stores, mail and webhooks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::alert;
use super::carry::{Making, Product, Request, Sending, World};
use super::claims::Claims;
use super::clock::Clock;
use super::delivery::Post;
use super::letter::Letter;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lake::alert::Alert;
use crate::lake::destination::Destination;
use crate::lake::run::ParameterRecord;
use crate::lake::schedule::{Awaited, Schedule, Work};
use crate::quality;
use crate::query::run::Given;
use crate::query::saved::Library;
use crate::report::{self, MadeFile, Order};
use crate::shell::interrupt::apart;
use crate::storage::Records;

/// Charts that a mail shows; all are in the files that come with it.
const PICTURES_MAX: usize = 6;

/// A lake that is open, and what letters are sent with.
#[derive(Clone)]
pub struct Site {
    pub engine: Engine,
    pub library: Library,
    post: Post,
}

impl Site {
    pub fn new(engine: Engine, library: Library) -> Self {
        let post = Post::new(engine.lake().smtp.clone());
        Self { engine, library, post }
    }

    /// The engine for a fire time. Where the manifest fixes the lake's day, a fire time before it is of a day of its own: it is
    /// about the same period as when it came.
    fn engine_at(&self, fire: DateTime<Utc>, zone: Tz) -> Result<Engine> {
        let (engine, day) = (&self.engine, fire.with_timezone(&zone).date_naive());
        if engine.lake().calendar.today.is_none_or(|today| today <= day) {
            Ok(engine.clone())
        } else {
            engine.on_day(day)
        }
    }

    async fn look(&self, alert: &Alert, request: Request, zone: Tz) -> Result<Making> {
        let lake = self.engine.lake();
        let records = Records::open(self.engine.stores(), lake)?;
        let claims = Claims::new(records, lake.scheduler.lease, Clock::Machine);
        let engine = self.engine_at(request.fire_time, zone)?;
        let (library, alert) = (self.library.clone(), alert.clone());
        apart(async move { alert::look(&engine, &library, &alert, &claims, &request, zone).await }).await
    }
}

impl World for Site {
    async fn make(&self, schedule: &Schedule, request: Request) -> Result<Making> {
        let (name, params, forms, csv_safe) = match &schedule.work {
            Work::Report { name, params, forms, csv_safe } => (name, params, forms, csv_safe),
            Work::Alert(alert) => return self.look(alert, request, schedule.timing.zone).await,
        };
        let run_id = Uuid::parse_str(&request.run_id)
            .map_err(|error| Error::internal(format!("`{}` is no id of a run: {error}", request.run_id)))?;
        let mut order = Order {
            name: name.clone(),
            given: Given::new(),
            forms: forms.clone(),
            csv_safe: *csv_safe,
            run_id,
            started_at: request.started_at,
            now: request.fire_time,
            banner: request.banner,
        };
        let engine = self.engine_at(request.fire_time, schedule.timing.zone)?;
        let (library, params) = (self.library.clone(), params.clone());
        // On threads of its own: a query that computes without a pause would hold up the lease, the timeout and other runs.
        let goes_by_mail = schedule.to.iter().any(|to| matches!(to, Destination::Email(_)));
        let (made, pictures) = apart(async move {
            order.given = report::typed(&engine, &library, &order.name, &params).await?;
            let made = report::make(&engine, &library, &order).await?;
            let pictures = if goes_by_mail { made.pictures(PICTURES_MAX)? } else { Vec::new() };
            Ok((made, pictures))
        })
        .await?;
        let parameters = made.parameters.into_iter().map(|(name, value)| ParameterRecord { name, value });
        Ok(Making::Made(Box::new(Product {
            title: made.title,
            summary: made.summary,
            rows: made.rows,
            files: made.files,
            pictures,
            inputs_sha256: Some(made.inputs),
            parameters: parameters.collect(),
            table: None,
        })))
    }

    async fn failing(&self, checks: &[Awaited], now: DateTime<Utc>) -> Result<Vec<String>> {
        let tables: BTreeSet<String> = checks.iter().map(|awaited| awaited.table.clone()).collect();
        let (engine, tables) = (self.engine.clone(), Vec::from_iter(tables));
        let outcomes = apart(async move { quality::run(&engine, &tables, now).await }).await?;
        let failing = outcomes.iter().filter(|outcome| checks.iter().any(|awaited| awaited.is_missing(outcome)));
        Ok(failing.map(|outcome| format!("{}, {}: {}", outcome.table, outcome.check, outcome.found)).collect())
    }

    async fn place(&self, folder: &str, files: &[MadeFile]) -> Result<Vec<String>> {
        report::place(self.engine.stores(), &self.engine.lake().root, files, folder).await
    }

    async fn send(&self, to: &Destination, letter: &Letter<'_>) -> Sending {
        self.post.send(to, letter).await
    }
}
