//! Saved queries: one `.sql` file each, found by name in the lake's folder of queries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, stream};

use super::header::{self, ChartSection, ColumnSection, Header};
use super::parameter::Parameter;
use super::results::Results;
use crate::error::{Error, Result};
use crate::output::present::{ColumnStyle, NumberFormat, Presentation};
use crate::output::total::Total;
use crate::storage::Texts;
use crate::suggest;

/// A saved query, its header checked.
#[derive(Clone, Debug)]
pub struct SavedQuery {
    pub name: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub grain: Vec<Placed<String>>,
    pub uses: Vec<Placed<String>>,
    pub parameters: Vec<Parameter>,
    pub columns: Vec<(String, Placed<ColumnSection>)>,
    pub charts: Vec<Placed<ChartSection>>,
    /// The whole file.
    pub text: String,
    /// The SQL below the header.
    pub sql: String,
    /// Line of the file on which `sql` starts.
    pub sql_line: usize,
    /// The file as errors name it.
    pub file: String,
}

/// Something from a header and its line in the file.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    pub value: T,
    pub line: usize,
}

impl SavedQuery {
    /// Reads a saved query from the text of its file.
    ///
    /// # Errors
    /// `InvalidData` with file and line: a broken header, an unknown key, a wrong type or format.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let parts = header::take_apart(text, file)?;
        let document = parts.document(file);
        let header: Header = document.parse()?;
        let line_of = |span: std::ops::Range<usize>| document.line(span.start);

        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if header.name.get_ref() != stem {
            return Err(Error::invalid(format!(
                "the query is named `{}`, but its file `{stem}`",
                header.name.get_ref()
            ))
            .at(file, Some(line_of(header.name.span())))
            .hint("give both the same name"));
        }
        let mut parameters = Vec::new();
        for (name, section) in header.params.0 {
            let line = line_of(section.span());
            parameters
                .push(Parameter::declared(&name, section.get_ref(), line).map_err(|error| error.at(file, Some(line)))?);
        }
        let mut columns = Vec::new();
        for (name, section) in header.columns.0 {
            let line = line_of(section.span());
            if let Some(format) = &section.get_ref().format {
                NumberFormat::parse(format).map_err(|error| error.at(file, Some(line)))?;
            }
            if let Some(total) = &section.get_ref().total {
                Total::parse(total, &name).map_err(|error| error.at(file, Some(line)))?;
            }
            if section.get_ref().bands.as_ref().is_some_and(|bands| !bands.is_sorted()) {
                return Err(Error::invalid(format!("the bands of `{name}` do not ascend")).at(file, Some(line)));
            }
            columns.push((name, Placed { value: section.into_inner(), line }));
        }
        let placed = |name: toml::Spanned<String>| Placed { line: line_of(name.span()), value: name.into_inner() };
        let charts =
            header.chart.into_iter().map(|chart| Placed { line: line_of(chart.span()), value: chart.into_inner() });
        Ok(Self {
            charts: charts.collect(),
            grain: header.grain.into_iter().map(placed).collect(),
            uses: header.uses.into_iter().map(placed).collect(),
            name: stem.to_owned(),
            title: header.title,
            description: header.description,
            tags: header.tags,
            parameters,
            columns,
            text: text.to_owned(),
            sql: text[parts.sql_start..].trim_end().trim_end_matches(';').to_owned(),
            sql_line: parts.sql_line,
            file: file.to_owned(),
        })
    }

    /// How the result is shown; money columns carry the lake's currency in their title.
    pub fn presentation(&self, currency: Option<&str>) -> Presentation {
        let style = |name: &String, column: &ColumnSection| {
            let number = column.format.as_deref().and_then(|format| NumberFormat::parse(format).ok());
            let title = column.title.clone().unwrap_or_else(|| name.clone());
            let is_money = number.as_ref().is_some_and(|number| number.currency);
            let title = match column.unit.as_deref().or(currency.filter(|_| is_money)) {
                Some(unit) => format!("{title} ({unit})"),
                None => title,
            };
            ColumnStyle {
                title: Some(title),
                description: column.description.clone(),
                number,
                good: column.good,
                bands: column.bands.clone().unwrap_or_default(),
                missing: column.missing.clone(),
                total: column.total.as_deref().and_then(|total| Total::parse(total, name).ok()),
            }
        };
        let columns: BTreeMap<String, ColumnStyle> =
            self.columns.iter().map(|(name, column)| (name.clone(), style(name, &column.value))).collect();
        Presentation::report(columns)
    }
}

/// Files that are read at once.
const AT_ONCE: usize = 16;

/// The saved queries of a lake.
#[derive(Clone, Debug)]
pub struct Library {
    texts: Texts,
    /// The name and text of a query that is not among the files yet.
    draft: Option<(String, String)>,
    /// Where results are kept, and taken from.
    results: Option<Arc<Results>>,
}

impl Library {
    /// The queries in this folder; nothing is read yet.
    pub fn new(texts: Texts) -> Self {
        Self { texts, draft: None, results: None }
    }

    /// The same queries, whose results are kept there, and taken from there while nothing that they rest on changes.
    #[must_use]
    pub fn keeping(self, results: Results) -> Self {
        Self { results: Some(Arc::new(results)), ..self }
    }

    /// The same queries, each computed anew.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { results: None, ..self.clone() }
    }

    pub fn results(&self) -> Option<&Arc<Results>> {
        self.results.as_ref()
    }

    /// The same queries with another one, or another text of one.
    #[must_use]
    pub fn with_text(&self, name: &str, text: &str) -> Self {
        Self { draft: Some((name.to_owned(), text.to_owned())), ..self.clone() }
    }

    /// The names of all queries, in order; none where there is no folder.
    ///
    /// # Errors
    /// `Storage` when the folder cannot be read.
    pub async fn names(&self) -> Result<Vec<String>> {
        let files = self.texts.names("sql").await?;
        let mut names: Vec<String> =
            files.iter().filter_map(|file| Some(file.strip_suffix(".sql")?.to_owned())).collect();
        // A name comes before the longer ones that begin with it, unlike its file.
        names.sort();
        Ok(names)
    }

    /// Every query by its name, in order, or what is wrong with it.
    ///
    /// # Errors
    /// `Storage` when the folder cannot be read.
    pub async fn all(&self) -> Result<Vec<(String, Result<SavedQuery>)>> {
        let names = self.names().await?;
        let reading = names.into_iter().map(async |name| {
            let query = self.query(&name).await;
            (name, query)
        });
        Ok(stream::iter(reading).buffered(AT_ONCE).collect().await)
    }

    /// The query of this name.
    ///
    /// # Errors
    /// `Usage` with the nearest name when there is none; `InvalidData` when its file is wrong.
    pub async fn query(&self, name: &str) -> Result<SavedQuery> {
        let file = format!("{name}.sql");
        // A name leads nowhere but into the folder.
        let draft = self.draft.as_ref().filter(|(draft, _)| draft == name);
        let text = match draft {
            Some((_, text)) => Some(text.clone()),
            None if name.contains(['/', '\\']) => None,
            None => self.texts.read(&file).await?,
        };
        match text {
            Some(text) => SavedQuery::parse(&text, &self.texts.shown(&file)),
            None => Err(self.unknown(name).await?),
        }
    }

    async fn unknown(&self, name: &str) -> Result<Error> {
        let names = self.names().await?;
        let error = Error::usage(format!("no saved query `{name}`"));
        Ok(match suggest::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`? `cxlake queries` lists all")),
            None if names.is_empty() => error.hint(format!("there is none in `{}`", self.texts.root())),
            None => error.hint("`cxlake queries` lists all"),
        })
    }

    /// The query of this name with all that it builds on, those that others build on first.
    ///
    /// # Errors
    /// As [`Library::query`]; `InvalidData` for a query that builds on itself.
    pub async fn with_used(&self, name: &str) -> Result<Vec<SavedQuery>> {
        let mut ordered = Vec::new();
        self.visit(self.query(name).await?, &mut BTreeSet::new(), &mut ordered).await?;
        Ok(ordered)
    }

    async fn visit(&self, query: SavedQuery, open: &mut BTreeSet<String>, ordered: &mut Vec<SavedQuery>) -> Result<()> {
        open.insert(query.name.clone());
        for used in &query.uses {
            let at_fault = |error: Error| error.at(&query.file, Some(used.line));
            if open.contains(&used.value) {
                return Err(at_fault(Error::invalid(format!(
                    "`{}` builds on itself through `{}`",
                    used.value, query.name
                ))));
            }
            if ordered.iter().all(|known| known.name != used.value) {
                let used = self.query(&used.value).await.map_err(|error| {
                    if error.place().is_none() { at_fault(Error::invalid(error.message().to_owned())) } else { error }
                })?;
                // A future that contains itself has no size.
                Box::pin(self.visit(used, open, ordered)).await?;
            }
        }
        open.remove(&query.name);
        ordered.push(query);
        Ok(())
    }
}
