//! `cxlake run NAME`: a saved query.

use super::super::settings::Settings;
use crate::error::Result;
use crate::shell::interrupt::Interrupt;

pub async fn run(name: &str, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    let mut shell = settings.shell_in_lake(interrupt).await?;
    shell.saved(name, settings.given().clone()).await
}
