//! `cxlake check`: whether the tables are what the manifest holds them to.

use super::super::settings::Settings;
use crate::error::Result;
use crate::shell::interrupt::Interrupt;

pub async fn run(tables: Vec<String>, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    settings.shell_in_lake(interrupt).await?.check_tables(tables).await
}
