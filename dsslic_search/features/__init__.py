"""Pure functions of label maps: coverage, regions, spatial embedding."""
