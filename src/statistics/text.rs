//! Words, themes, reason codes and sentiment of short English texts.
