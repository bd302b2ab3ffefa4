//! `cxlake metrics`: what the words of the queries mean in this lake.

use super::super::args::MetricsAction;
use super::super::settings::Settings;
use super::print;
use crate::error::Result;
use crate::shell::interrupt::Interrupt;
use crate::shell::metric_text;

pub async fn run(action: MetricsAction, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let mut shell = settings.shell(interrupt).await?;
    match action {
        MetricsAction::List => {
            let listing = shell.metrics().await?;
            shell.listing(listing).await
        }
        MetricsAction::Show { name } => print(&metric_text(&shell.engine, &shell.library, &name).await?),
    }
}
