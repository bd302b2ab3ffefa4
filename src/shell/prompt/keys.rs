//! Keys that the line editor does not have by itself.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::history::FileHistory;
use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, KeyCode, KeyEvent, Modifiers, RepeatCount,
};

use super::helper::Assistant;

/// What is to be taken to the editor, once the line is given up.
#[derive(Clone, Debug, Default)]
pub struct ToEditor(Arc<Mutex<Option<String>>>);

impl ToEditor {
    pub fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ConditionalEventHandler for ToEditor {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.line().to_owned());
        Some(Cmd::Interrupt)
    }
}

/// Takes the next word of the ghost text.
struct TakeWord;

impl ConditionalEventHandler for TakeWord {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let ghost = context.hint_text().filter(|_| context.pos() == context.line().len())?;
        let blanks = ghost.len() - ghost.trim_start().len();
        let word = ghost[blanks..].find(char::is_whitespace).map_or(ghost.len(), |end| blanks + end);
        Some(Cmd::Insert(1, ghost[..word].to_owned()))
    }
}

/// Takes all of the ghost text.
struct TakeAll;

impl ConditionalEventHandler for TakeAll {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let is_at_end = context.pos() == context.line().len();
        (context.has_hint() && is_at_end).then_some(Cmd::CompleteHint)
    }
}

/// Gives the line editor its keys.
pub fn bind(editor: &mut Editor<Assistant, FileHistory>) -> ToEditor {
    let conditional = |handler: Box<dyn ConditionalEventHandler>| EventHandler::Conditional(handler);
    let to_editor = ToEditor::default();
    let keys = Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]);
    editor.bind_sequence(keys, conditional(Box::new(to_editor.clone())));
    for key in [KeyEvent::alt('f'), KeyEvent(KeyCode::Right, Modifiers::CTRL), KeyEvent(KeyCode::Right, Modifiers::ALT)]
    {
        editor.bind_sequence(key, conditional(Box::new(TakeWord)));
    }
    for key in [KeyEvent::ctrl('E'), KeyEvent(KeyCode::End, Modifiers::NONE)] {
        editor.bind_sequence(key, conditional(Box::new(TakeAll)));
    }
    to_editor
}
