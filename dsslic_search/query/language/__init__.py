"""From text to tree: words, grammar, predicates, and what is said of a text that is no query."""
