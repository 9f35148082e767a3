"""What can be asked: measures, dimensions, grains. Each is one entry, learnt from here by every surface."""
