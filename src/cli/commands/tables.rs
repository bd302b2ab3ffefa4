//! `cxlake tables`: what there is to query.

use super::super::args::TablesAction;
use super::super::settings::Settings;
use crate::error::Result;
use crate::shell::Reach;
use crate::shell::interrupt::Interrupt;

pub async fn run(action: TablesAction, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let mut shell = settings.shell_in_lake(interrupt).await?;
    let listing = match action {
        TablesAction::List => shell.tables(Reach::Near).await?,
        TablesAction::Show { name } => shell.table(&name).await?,
    };
    shell.listing(listing).await
}
