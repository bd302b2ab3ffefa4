//! `cxlake functions`: what statements can call.

use super::super::args::FunctionsAction;
use super::super::settings::Settings;
use super::print;
use crate::error::Result;
use crate::shell::interrupt::Interrupt;

pub async fn run(action: FunctionsAction, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let mut shell = settings.shell(interrupt).await?;
    match action {
        FunctionsAction::List => {
            let listing = shell.functions()?;
            shell.listing(listing).await
        }
        FunctionsAction::Show { name } => print(&shell.engine.function_text(&name)?),
    }
}
