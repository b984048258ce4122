"""The label-map coder: a binary context-mixing coder of the PAQ line for maps of class ids."""
