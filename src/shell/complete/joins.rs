//! What two relations have in common: conditions for ON, columns for USING.

use super::Kind;
use super::knowledge::Column;
use super::offer::Offer;
use super::words::written;

impl Offer<'_> {
    /// Conditions on keys that the last relation shares with those before it.
    pub fn keys(&mut self) {
        // What is joined ends before the next JOIN, so later relations do not count.
        let place = self.before.map_or(0, |before| before + 1);
        let joined = self.scope.branch.relations.iter().take_while(|relation| relation.first < place).count();
        let Some((right, left)) = self.scope.levels.first().and_then(|level| level.get(..joined)?.split_last()) else {
            return;
        };
        for (theirs, known) in left.iter().flat_map(|known| known.columns.iter().map(move |column| (column, known))) {
            let partner = |own: &&Column| {
                let is_same = own.name == theirs.name && is_key(&own.name);
                is_same
                    || is_reference(&theirs.name, &own.name, &right.table)
                    || is_reference(&own.name, &theirs.name, &known.table)
            };
            for own in right.columns.iter().filter(partner) {
                let text = format!(
                    "{}.{} = {}.{}",
                    written(&known.name),
                    written(&theirs.name),
                    written(&right.name),
                    written(&own.name)
                );
                if !self.is_said(&known.name, &theirs.name, place) {
                    self.list.offer(&text, Kind::Key, || (text.clone(), theirs.kind.clone()));
                }
            }
        }
    }

    /// Whether a column already stands in this condition.
    fn is_said(&self, relation: &str, column: &str, place: usize) -> bool {
        let on = (0..place).rev().find(|&index| self.sentence.is(index, "on")).unwrap_or(place);
        (on..place).any(|index| {
            self.sentence.is_behind_point(index)
                && self.sentence.name(index).is_some_and(|name| name == column)
                && self.sentence.name(index - 2).is_some_and(|name| name == relation)
        })
    }

    /// Whether the last relation before the place is joined to another one and has no condition yet.
    pub fn is_joined(&self) -> bool {
        let place = self.before.map_or(0, |before| before + 1);
        let mut relations = self.scope.branch.relations.iter().filter(|relation| relation.first < place);
        let Some(last) = relations.next_back() else { return false };
        let is_join = last.first > 0 && self.sentence.is(last.first - 1, "join");
        let is_cross = last.first > 1 && self.sentence.is_any(last.first - 2, &["cross", "natural"]);
        is_join && !is_cross && !(last.first..place).any(|index| self.sentence.is_any(index, &["on", "using"]))
    }

    /// Columns that the last relation shares with those before it, keys first.
    pub fn shared_columns(&mut self) {
        let place = self.before.map_or(0, |before| before + 1);
        let joined = self.scope.branch.relations.iter().take_while(|relation| relation.first < place).count();
        let Some((right, left)) = self.scope.levels.first().and_then(|level| level.get(..joined)?.split_last()) else {
            return;
        };
        let is_shared =
            |column: &&Column| left.iter().any(|known| known.columns.iter().any(|own| own.name == column.name));
        for column in right.columns.iter().filter(is_shared) {
            let text = self.written(&column.name);
            let kind = if is_key(&column.name) { Kind::Key } else { Kind::Column };
            self.list.offer(&column.name, kind, || (text, column.kind.clone()));
        }
    }
}

/// Whether a name is one of keys that other tables share; `id` alone is of another thing in each.
fn is_key(name: &str) -> bool {
    ["_id", "_key", "_code", "_no"].iter().any(|ending| name.ends_with(ending))
}

/// Whether `name` refers to the `id` of the relation: `office_id` to that of `office` or `offices`.
fn is_reference(name: &str, id: &str, relation: &str) -> bool {
    let stem = name.strip_suffix("_id").filter(|_| id == "id");
    stem.is_some_and(|stem| relation == stem || relation.strip_suffix('s') == Some(stem))
}
