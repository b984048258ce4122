"""The networks: SegNet, CompNet, FineNet, the discriminator, and the files their weights live in."""
