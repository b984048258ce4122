"""From tree to photos: what each predicate finds, ranks, orders and pages."""
