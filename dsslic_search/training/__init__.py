"""How the networks are made: data sets, losses, loops."""
