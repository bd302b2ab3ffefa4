//! `cxlake queries`: what saved queries there are, what one says, whether all are right.

use super::super::args::QueriesAction;
use super::super::settings::Settings;
use super::{print, tell};
use crate::error::Result;
use crate::shell::interrupt::Interrupt;
use crate::shell::{Shell, query_text};

pub async fn run(action: QueriesAction, settings: &Settings, interrupt: Interrupt, color: bool) -> Result<()> {
    let mut shell = settings.shell_in_lake(interrupt).await?;
    match action {
        QueriesAction::List => {
            let listing = shell.queries().await?;
            shell.listing(listing).await
        }
        QueriesAction::Show { name } => print(&query_text(&shell.library, &name).await?),
        QueriesAction::Check { names } if names.is_empty() => {
            let names = shell.library.names().await?;
            check(&shell, &names, color).await
        }
        QueriesAction::Check { names } => check(&shell, &names, color).await,
    }
}

/// Checks these queries, says of each whether it is right, and fails when one is not.
async fn check(shell: &Shell, names: &[String], color: bool) -> Result<()> {
    tell(&shell.check(names).await?, "saved queries", color)
}
