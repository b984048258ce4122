"""Query text to ranked photo ids: grammar, predicate tree, plan, execution."""
